/**
 * What stands beside the 78 features of each flow of a window (`@picket/shared/features/flow-context`), for windows as
 * they were captured and for those put together from flows of several times and devices.
 */
import { flowContextSize, unknownContext, writeFlowContext } from '@picket/shared/features/flow-context';
import type { FlowRows } from './flow-rows.ts';
import { padded, presentFlows } from './window-mixes.ts';

/** Row numbers, and how these flows came together. Without anything else: as they were captured. */
export interface WindowOfFlows {
  readonly window: Int32Array;
  /** Rows from another time or device: their ages run to the newest packet among themselves. */
  readonly background?: Int32Array;
  /** Seconds that the newest packet of the other flows lies before the background's. */
  readonly lag?: number;
  /** One or two flows over and over: seconds from one to the next. */
  readonly period?: number;
}

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

/** Writes 10 × 5 numbers at `offset`. Ages are multiplied by `tempo`. */
export function writeContext(rows: FlowRows, mix: WindowOfFlows, to: Float32Array, offset: number, tempo = 1): void {
  const ages = agesOf(rows, mix);
  const pairs: number[] = [];
  to.fill(unknownContext, offset, offset + flowContextSize);
  writeFlowContext(
    presentFlows(mix.window).map((row, at) => ({
      ageSeconds: ages[at]! < 0 ? unknownContext : ages[at]! * tempo,
      peer: rows.pairs[row]! < 0 ? unknownContext : numberOf(pairs, rows.pairs[row]!),
      direction: rows.directions[row]!,
      recentOfDevice: rows.recentOfDevice[row]!,
      recentOfPeer: rows.recentOfPeer[row]!,
    })),
    to,
    offset,
  );
}

function newestUs(rows: FlowRows, flows: readonly number[]): number {
  return flows.reduce((newest, row) => Math.max(newest, rows.lastUs[row]!), Number.NEGATIVE_INFINITY);
}

function numberOf(pairs: number[], pair: number): number {
  const known = pairs.indexOf(pair);
  return known >= 0 ? known : pairs.push(pair) - 1;
}
