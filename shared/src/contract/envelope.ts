/**
 * What the outbox sends and the controller acknowledges. A batch belongs to one channel of one outbox epoch; sequence
 * numbers run without holes per epoch and channel, and what the outbox had to drop is named by a gap event, so that the
 * controller can tell a loss from a delay. Ingestion is idempotent on (gateway, epoch, channel, seq).
 */
import { z } from 'zod';
import { Alert } from './alert.ts';
import { DeviceRef, Instant, TrafficSource } from './address.ts';
import { DecisionEvent } from './decision.ts';
import { Flow } from './flow.ts';
import { BootId } from './identifiers.ts';
import { Prediction } from './prediction.ts';
import { eventChannels, type EventChannel } from './topics.ts';
import { UnblockProof } from './unblock.ts';

/** Per device and minute, for traffic that is not reported flow by flow. */
export const MinuteCounters = z.strictObject({
  device: DeviceRef,
  minute: Instant.describe('Start of the minute, packet time.'),
  flows: z.int().min(0),
  packets: z.number().min(0),
  bytes: z.number().min(0),
  predictions: z.int().min(0),
  attacks: z.int().min(0),
  max_score: z.number().min(0).max(1),
  source: TrafficSource,
});
export type MinuteCounters = z.infer<typeof MinuteCounters>;

/** A device was seen for the first time, or its MAC became known. */
export const DeviceSeen = z.strictObject({ device: DeviceRef, at: Instant, source: TrafficSource });
export type DeviceSeen = z.infer<typeof DeviceSeen>;

export const EventBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('alert'), body: Alert }),
  z.strictObject({ kind: z.literal('decision'), body: DecisionEvent }),
  z.strictObject({ kind: z.literal('unblock'), body: UnblockProof }),
  z.strictObject({ kind: z.literal('device'), body: DeviceSeen }),
  z.strictObject({ kind: z.literal('prediction'), body: Prediction }),
  z.strictObject({ kind: z.literal('flow'), body: Flow }),
  z.strictObject({ kind: z.literal('counters'), body: MinuteCounters }),
  /** The outbox was full or too old: this many events from `from_seq` to `to_seq` are gone. Its own seq is `to_seq`. */
  z.strictObject({
    kind: z.literal('gap'),
    body: z.strictObject({ from_seq: z.int().min(1), to_seq: z.int().min(1), dropped: z.int().min(1) }),
  }),
]);
export type EventBody = z.infer<typeof EventBody>;

/** Which channel an event goes by. A `gap` goes by the channel that it is a gap of. */
export const channelOf = {
  alert: 'alerts',
  decision: 'decisions',
  unblock: 'decisions',
  device: 'devices',
  prediction: 'predictions',
  flow: 'flows',
  counters: 'counters',
} as const satisfies Record<Exclude<EventBody['kind'], 'gap'>, EventChannel>;

export const OutboxEvent = z.strictObject({
  seq: z.int().min(1),
  at: Instant.describe("Agent's wall clock when it was written to the outbox."),
  event: EventBody,
});
export type OutboxEvent = z.infer<typeof OutboxEvent>;

export const EventBatch = z.strictObject({
  protocol: z.int().min(1),
  epoch: z.uuid().describe('Made with the outbox file; a new file is a new epoch.'),
  boot_id: BootId,
  channel: z.enum(eventChannels),
  events: z.array(OutboxEvent).min(1).max(500).describe('Ascending by `seq`.'),
});
export type EventBatch = z.infer<typeof EventBatch>;

/** On `down/ack`, after the controller's commit: everything of this epoch and channel up to and including `upto` is kept. */
export const Ack = z.strictObject({ epoch: z.uuid(), channel: z.enum(eventChannels), upto: z.int().min(0) });
export type Ack = z.infer<typeof Ack>;
