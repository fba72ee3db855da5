/**
 * How long the device of a window is known, and each of its peers, for windows as they were captured and for those that
 * never were. Everybody whom the range's gateways meet was there when they began to listen, all but its attackers; in a
 * home honest strangers come all day. What was captured would teach that who is new attacks. So training draws when
 * people met anew, and what is left to learn is that who was always there does not.
 */
import { unknownContext } from '@picket/shared/features/flow-context';
import type { FlowRows } from './flow-rows.ts';
import { newestUs, periodsBefore } from './window-of-flows.ts';
import type { WindowOfFlows } from './window-of-flows.ts';
import { presentFlows } from './window-mixes.ts';

/** Seconds, for each flow of a window; −1 where nobody knows. */
export interface Familiarity {
  readonly peer: readonly number[];
  readonly device: readonly number[];
}

/** A peer that is known for so much of the device's time was there before anybody listened. */
const alwaysThere = 0.8;
/**
 * Everybody is a newcomer when he is heard first: what epoch and threshold are chosen by. In the range's hours in peace nobody
 * is, and a threshold that rests on that would be too low for any home.
 */
export const amongNewcomers: Pick<WindowOfFlows, 'deviceLonger'> = { deviceLonger: 600 };

/** Seconds since two met that had always known each other. */
export const always = Number.POSITIVE_INFINITY;

/** When the parties of a window met, and for how long their gateway had listened, where that is to be other than it was. */
export type Acquaintance = Pick<WindowOfFlows, 'longer' | 'atMost' | 'met'>;

export interface AcquaintanceShares {
  /** Of windows: the gateway had listened longer than it was captured, or began lately. */
  readonly listenedLonger: number;
  readonly beganLately: number;
  /** Honest peers of the window are new. */
  readonly newcomers: number;
  /** Of those: each peer. */
  readonly ofNewcomers: number;
  /** Who attacks was always there. */
  readonly oldFriends: number;
}

/** Seconds that a gateway had listened before it was captured, at most, and for which it listened where it began lately. */
const longestBefore = 1500;
const briefestListening = 5;
const longestListening = 300;
/** Logarithm of the most seconds from when two met to their first flow in the window: mostly moments, seldom minutes. */
const longestAcquaintance = 5.8;
/** A peer's count where the flow is not its first of late, and how many seconds that is. */
const countedBefore = 1.05;
const recently = 30;

export function drawAcquaintance(
  rows: FlowRows,
  window: Int32Array,
  shares: AcquaintanceShares,
  random: () => number,
): Acquaintance {
  const met = new Map<number, number>();
  const flows = presentFlows(window);
  const pairsOf = (isAttack: boolean): Set<number> =>
    new Set(flows.flatMap((row) => ((rows.classes[row] !== 0) === isAttack ? [rows.pairs[row]!] : [])));
  const attacking = pairsOf(true);
  if (random() < shares.newcomers) {
    for (const pair of pairsOf(false).difference(attacking)) {
      if (random() >= shares.ofNewcomers) continue;
      // Of flows before these the counts would tell.
      const first = flows.find((row) => rows.pairs[row] === pair)!;
      const earlier = rows.recentOfPeer[first]! > countedBefore ? recently * random() : 0;
      met.set(pair, earlier + Math.expm1(longestAcquaintance * random() * random()));
    }
  }
  if (random() < shares.oldFriends) for (const pair of attacking) met.set(pair, always);
  const lot = random();
  if (lot < shares.listenedLonger) return { met, longer: longestBefore * random() };
  if (lot >= shares.listenedLonger + shares.beganLately) return { met };
  return { met, atMost: briefestListening * (longestListening / briefestListening) ** random() };
}

/**
 * Flows that were put among those of another device keep how long their peer was known, as far as that device goes back;
 * honest peers that were always there are so here, too. A flow that comes over and over always did; before a beginning
 * nobody was known. `ages`: of the flows, as they are in this window.
 */
export function familiarityOf(rows: FlowRows, mix: WindowOfFlows, ages: readonly number[]): Familiarity {
  const flows = presentFlows(mix.window);
  if (ages.includes(unknownContext) || flows.some((row) => Number.isNaN(rows.peerSinceUs[row]!))) {
    const unknown = flows.map(() => unknownContext);
    return { peer: unknown, device: unknown };
  }
  const first = flows.map((row) =>
    Math.max(...flows.map((other, at) => (rows.pairs[other] === rows.pairs[row] ? ages[at]! : 0))),
  );
  const oldest = Math.max(...ages);
  if (mix.isBeginning === true) return { peer: first, device: flows.map(() => oldest) };
  const listened = listenedTo(rows, mix, oldest) + (mix.longer ?? mix.deviceLonger ?? 0);
  const device = Math.max(oldest, Math.min(mix.atMost ?? always, listened));
  const peer = flows.map((row, at) => {
    const met = mix.met?.get(rows.pairs[row]!);
    const known = met === undefined ? knownThere(rows, mix, row, ages[at]!, device) : first[at]! + met;
    return Math.max(first[at]!, Math.min(device, known));
  });
  return { peer, device: flows.map(() => device) };
}

/** Seconds since the first flow of the window's device, which is the background's where there is one. */
function listenedTo(rows: FlowRows, { window, background, period }: WindowOfFlows, oldest: number): number {
  if (period !== undefined) return oldest + periodsBefore * period;
  const own = presentFlows(background ?? window);
  const newest = newestUs(rows, own);
  return Math.max(...own.map((row) => (newest - rows.deviceSinceUs[row]!) / 1e6));
}

/** Seconds since the row's peer was first met where the row was captured, told from here. */
function knownThere(rows: FlowRows, mix: WindowOfFlows, row: number, age: number, device: number): number {
  const [startUs, lastUs] = [rows.startUs[row]!, rows.lastUs[row]!];
  const wasKnown = (lastUs - rows.peerSinceUs[row]!) / 1e6;
  const isHabit = rows.classes[row] === 0 && wasKnown >= alwaysThere * ((lastUs - rows.deviceSinceUs[row]!) / 1e6);
  const isFromElsewhere = mix.background !== undefined && !mix.background.includes(row);
  if (mix.period !== undefined || (isHabit && isFromElsewhere)) return device;
  const sinceMet = age + (startUs - rows.peerSinceUs[row]!) / 1e6;
  return isHabit ? sinceMet + (mix.longer ?? 0) : sinceMet;
}
