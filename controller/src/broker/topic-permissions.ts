/**
 * Who may say and hear what. One set of rules: asked by the embedded broker, and written out as an ACL file for
 * Mosquitto, so that both brokers refuse the same.
 */
import { downChannels, eventChannels, parseTopic, stateChannels, topics } from '@picket/shared/contract/topics';
import { controllerCommonName } from './peer-identity.ts';
import type { PeerIdentity } from './peer-identity.ts';

/** Only the latest of these counts, so a broker may keep them. */
const retainedUp: ReadonlySet<string> = new Set(['presence', 'reported']);
const retainedDown: ReadonlySet<string> = new Set(['policy']);

/** A gateway speaks on its own `up` topics, the controller on all `down` topics; what is an event is never retained. */
export function mayPublish(peer: PeerIdentity, topic: string, retain: boolean): boolean {
  const parsed = parseTopic(topic);
  if (parsed === undefined) return false;
  if (peer.kind === 'controller') return parsed.direction === 'down' && (!retain || retainedDown.has(parsed.channel));
  return parsed.direction === 'up' && parsed.gateway === peer.id && (!retain || retainedUp.has(parsed.channel));
}

/** Exact filters only: a gateway its own `down` topics, one by one or all; the controller all `up` topics. */
export function maySubscribe(peer: PeerIdentity, filter: string): boolean {
  if (peer.kind === 'controller') return filter === topics.upAll;
  return filter === topics.downAll(peer.id) || downChannels.some((channel) => filter === topics.down(peer.id, channel));
}

/** Whether a message on this topic may reach this peer: the second gate behind its subscription. */
export function mayReceive(peer: PeerIdentity, topic: string): boolean {
  const parsed = parseTopic(topic);
  if (parsed === undefined) return false;
  return peer.kind === 'controller'
    ? parsed.direction === 'up'
    : parsed.direction === 'down' && parsed.gateway === peer.id;
}

/** The same rules as Mosquitto's `acl_file`; needs `use_identity_as_username true`. */
export function mosquittoAcl(): string {
  const up = [...eventChannels, ...stateChannels].map((channel) => `pattern write picket/v1/%u/up/${channel}`);
  const down = downChannels.map((channel) => `pattern read picket/v1/%u/down/${channel}`);
  const controller = downChannels.map((channel) => `topic write picket/v1/+/down/${channel}`);
  return [
    '# Generated from controller/src/broker/topic-permissions.ts; a test keeps them equal.',
    '# %u is the common name of the client certificate.',
    '',
    `user ${controllerCommonName}`,
    `topic read ${topics.upAll}`,
    ...controller,
    '',
    ...up,
    ...down,
    '',
  ].join('\n');
}
