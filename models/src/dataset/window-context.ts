/**
 * What stands beside the 78 features of each flow of a window (`@picket/shared/features/flow-context`), for windows as
 * they were captured and for those put together from flows of several times and devices.
 */
import { flowContextSize, unknownContext, writeFlowContext } from '@picket/shared/features/flow-context';
import { RecentFlows } from '@picket/shared/features/recent-flows';
import type { FlowRows } from './flow-rows.ts';
import { familiarityOf } from './window-familiarity.ts';
import { newestUs, periodsBefore } from './window-of-flows.ts';
import type { WindowOfFlows } from './window-of-flows.ts';
import { padded, presentFlows } from './window-mixes.ts';

/** How many new flows there were of late, as `RecentFlows` has it, for each flow of a window. */
interface RecentColumns {
  readonly ofDevice: readonly number[];
  readonly ofPeer: readonly number[];
}

/** A flow is handed over first at its end, or after this time. */
const firstReportUs = 1e6;
/** Some time, for windows that never were. */
const nowUs = 1e15;

/** Seconds since each present flow began, oldest slot first; −1 where that is not known. */
export function agesOf(rows: FlowRows, { window, background, lag = 0, period }: WindowOfFlows): number[] {
  const flows = presentFlows(window);
  const apart = new Set(background);
  const newest = newestUs(
    rows,
    flows.filter((row) => !apart.has(row)),
  );
  const newestApart = newestUs(
    rows,
    flows.filter((row) => apart.has(row)),
  );
  return flows.map((row, at) => {
    const lived = (rows.lastUs[row]! - rows.startUs[row]!) / 1e6;
    const isApart = apart.has(row);
    const age =
      period === undefined
        ? ((isApart ? newestApart : newest) - rows.startUs[row]!) / 1e6 + (isApart ? 0 : lag)
        : lived + (flows.length - 1 - at) * period;
    return Number.isFinite(age) ? Math.max(0, age) : unknownContext;
  });
}

/** The same flows in the order in which they began, as a gateway would have met them; as they stand where nobody knows. */
export function inOrder(rows: FlowRows, mix: WindowOfFlows): WindowOfFlows {
  const ages = agesOf(rows, mix);
  if (ages.includes(unknownContext)) return mix;
  const flows = presentFlows(mix.window);
  const order = [...flows.keys()].sort((a, b) => ages[b]! - ages[a]!);
  return { ...mix, window: padded(order.map((at) => flows[at]!)) };
}

/** Writes 10 × 7 numbers at `offset`. Ages are multiplied by `tempo`. */
export function writeContext(rows: FlowRows, mix: WindowOfFlows, to: Float32Array, offset: number, tempo = 1): void {
  const { pace = 1 } = mix;
  const ages = agesOf(rows, mix).map((age) => (age < 0 ? age : age * pace));
  const recent = recentOf(rows, mix, ages);
  const known = familiarityOf(rows, mix, ages);
  const pairs: number[] = [];
  to.fill(unknownContext, offset, offset + flowContextSize);
  writeFlowContext(
    presentFlows(mix.window).map((row, at) => ({
      ageSeconds: ages[at]! < 0 ? unknownContext : ages[at]! * tempo,
      peer: rows.pairs[row]! < 0 ? unknownContext : numberOf(pairs, rows.pairs[row]!),
      direction: rows.directions[row]!,
      recentOfDevice: recent.ofDevice[at]!,
      recentOfPeer: recent.ofPeer[at]!,
      peerKnownSeconds: known.peer[at]! < 0 ? unknownContext : known.peer[at]! * tempo,
      deviceKnownSeconds: known.device[at]! < 0 ? unknownContext : known.device[at]! * tempo,
    })),
    to,
    offset,
  );
}

/**
 * As captured, or counted anew where the flows never came together: what a flow was counted with elsewhere would tell
 * which of them were put in. The device then is the background's, with what it had before; a flow that comes over and
 * over always did.
 */
function recentOf(rows: FlowRows, mix: WindowOfFlows, ages: readonly number[]): RecentColumns {
  const flows = presentFlows(mix.window);
  const isMade =
    mix.background !== undefined || mix.period !== undefined || mix.pace !== undefined || mix.isBeginning === true;
  if (!isMade) {
    return {
      ofDevice: flows.map((row) => rows.recentOfDevice[row]!),
      ofPeer: flows.map((row) => rows.recentOfPeer[row]!),
    };
  }
  if (ages.includes(unknownContext) || flows.some((row) => rows.pairs[row]! < 0)) {
    const unknown = flows.map(() => unknownContext);
    return { ofDevice: unknown, ofPeer: unknown };
  }
  const counted = new RecentFlows();
  const oldestUs = nowUs - Math.max(...ages) * 1e6;
  for (const { pair, atUs } of before(rows, mix, oldestUs)) counted.add(pair, true, atUs, atUs);
  const ofDevice: number[] = [];
  const ofPeer: number[] = [];
  for (const [at, row] of flows.entries()) {
    const startUs = nowUs - ages[at]! * 1e6;
    const livedUs = rows.lastUs[row]! - rows.startUs[row]!;
    if (livedUs > firstReportUs) counted.add(rows.pairs[row]!, true, startUs, startUs + firstReportUs);
    const count = counted.add(rows.pairs[row]!, livedUs <= firstReportUs, startUs, startUs + livedUs);
    ofDevice.push(count.ofDevice);
    ofPeer.push(count.ofPeer);
  }
  return { ofDevice, ofPeer };
}

/** Flows that the device had before the window's oldest, which began at `oldestUs`. */
function* before(
  rows: FlowRows,
  { window, background, period, pace = 1, isBeginning = false }: WindowOfFlows,
  oldestUs: number,
): Generator<{ pair: number; atUs: number }> {
  if (isBeginning) return;
  const [oldest] = presentFlows(background ?? window);
  if (oldest === undefined) return;
  const pair = rows.pairs[oldest]!;
  if (period !== undefined) {
    for (let ago = periodsBefore; ago > 0; ago--) yield { pair, atUs: oldestUs - ago * period * 1e6 };
    return;
  }
  // It is counted itself below.
  const earlier = (counted: number): number => Math.round(Math.max(0, Math.round(counted) - 1) / pace);
  const withPeer = earlier(rows.recentOfPeer[oldest]!);
  const inAll = earlier(rows.recentOfDevice[oldest]!);
  for (let flow = 0; flow < inAll; flow++) yield { pair: flow < withPeer ? pair : unknownContext, atUs: oldestUs };
}

function numberOf(pairs: number[], pair: number): number {
  const known = pairs.indexOf(pair);
  return known >= 0 ? known : pairs.push(pair) - 1;
}
