/**
 * MQTT topics, built and read by one pair of functions.
 * Up channels with events go through the outbox and are acknowledged on `down/ack`; `presence`, `reported` and `health`
 * are states of which only the latest counts.
 */
import type { GatewayId } from './identifiers.ts';
import { GatewayId as GatewayIdSchema } from './identifiers.ts';

/** Channels whose messages are batches of events that must not be lost, in the order in which the outbox gives up room for them. */
export const eventChannels = ['alerts', 'decisions', 'devices', 'predictions', 'flows', 'counters'] as const;
export type EventChannel = (typeof eventChannels)[number];

export const stateChannels = ['presence', 'reported', 'health'] as const;
export const downChannels = ['ack', 'policy', 'decisions'] as const;

export type UpChannel = EventChannel | (typeof stateChannels)[number];
export type DownChannel = (typeof downChannels)[number];

const prefix = 'picket/v1';

export const topics = {
  up: (gateway: GatewayId, channel: UpChannel): string => `${prefix}/${gateway}/up/${channel}`,
  down: (gateway: GatewayId, channel: DownChannel): string => `${prefix}/${gateway}/down/${channel}`,
  /** All that one gateway may hear. */
  downAll: (gateway: GatewayId): string => `${prefix}/${gateway}/down/+`,
  /** All that the controller hears. */
  upAll: `${prefix}/+/up/+`,
} as const;

export type ParsedTopic =
  | { readonly gateway: GatewayId; readonly direction: 'up'; readonly channel: UpChannel }
  | { readonly gateway: GatewayId; readonly direction: 'down'; readonly channel: DownChannel };

const upChannels: ReadonlySet<string> = new Set([...eventChannels, ...stateChannels]);
const downChannelSet: ReadonlySet<string> = new Set(downChannels);

/** Undefined for anything that `topics` could not have built. */
export function parseTopic(topic: string): ParsedTopic | undefined {
  const [product, version, gatewayText, direction, channel, ...rest] = topic.split('/');
  if (`${product}/${version}` !== prefix || channel === undefined || rest.length > 0) return undefined;
  const gateway = GatewayIdSchema.safeParse(gatewayText);
  if (!gateway.success) return undefined;
  if (direction === 'up' && upChannels.has(channel))
    return { gateway: gateway.data, direction, channel: channel as UpChannel };
  if (direction === 'down' && downChannelSet.has(channel))
    return { gateway: gateway.data, direction, channel: channel as DownChannel };
  return undefined;
}

export function isEventChannel(channel: string): channel is EventChannel {
  return (eventChannels as readonly string[]).includes(channel);
}

/** MQTT client id of the short second connection by which a gateway proves that new connections come through. */
export function proofClientId(gateway: GatewayId): string {
  return `${gateway}/proof`;
}
