/** Whom a host can talk to, and how a habit becomes conversations with numbers of its own from the seed. */
import type { Conversation, ConversationKind, Range, Rhythm } from '../programs/conversation.ts';
import type { Random } from '../random.ts';

/** Whom a host can talk to. */
export interface Neighbourhood {
  readonly random: Random;
  /** The host's own address, and that of the family of the peer where it has both. */
  readonly from: string;
  readonly from6: string | null;
  readonly cloud: readonly string[];
  readonly cloud6: readonly string[];
  readonly gateway: string;
  readonly broadcast: string;
  readonly hub: string | null;
  readonly recorder: string | null;
  readonly webs: readonly string[];
  readonly shells: readonly { readonly address: string; readonly port: number; readonly key: string }[];
  readonly files: readonly { readonly address: string; readonly port: number }[];
}

export type Habit = (around: Neighbourhood) => Conversation[];

export const second = 1000;

/** Fills in what a conversation leaves open. */
export function conversation(
  around: Pick<Neighbourhood, 'random' | 'from' | 'from6'>,
  kind: ConversationKind,
  to: string | readonly string[],
  port: number,
  rhythm: Rhythm,
  more: Partial<Conversation> = {},
): Conversation {
  const peers = typeof to === 'string' ? [to] : to;
  const isLong = peers[0]?.includes(':') === true;
  return {
    kind,
    to: peers,
    port,
    rhythm,
    from: isLong ? (around.from6 ?? '') : around.from,
    isTls: false,
    sends: [0, 0],
    asks: [0, 0],
    per: [1, 1],
    gapMs: 200,
    thinks: [2, 60],
    share: 0,
    commands: [],
    seed: around.random.integer(1, 1e9),
    ...more,
  };
}

/** Every so many seconds, as a clock that may be a little off. */
export const clock = (random: Random, low: number, high: number): Rhythm => ({
  kind: 'clock',
  everyMs: Math.round(random.between(low, high) * second),
  jitter: random.pick([0, 0, 0, 0.02, 0.1, 0.3]),
});
export const chance = (random: Random, low: number, high: number): Rhythm => ({
  kind: random.pick(['chance', 'chance', 'bursts']),
  everyMs: Math.round(random.between(low, high) * second),
  jitter: 0,
});

/** A fixed size, or a small spread about one. */
export function around(random: Random, low: number, high: number): Range {
  const size = Math.round(low * (high / low) ** random.next());
  return random.next() < 0.5 ? [size, size] : [Math.round(size * 0.6), Math.round(size * 1.6)];
}

/** One or a few of the cloud's hosts; IPv6 where there is some, half of the time. */
export function someCloud(here: Neighbourhood, most = 1): string[] {
  const from = here.from6 !== null && here.cloud6.length > 0 && here.random.next() < 0.5 ? here.cloud6 : here.cloud;
  const count = here.random.integer(1, most);
  return [...new Set(Array.from({ length: count }, () => here.random.pick(from)))];
}
