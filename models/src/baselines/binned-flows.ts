/** Flows with each feature cut into at most 64 bins at its quantiles: what trees are grown on. */
import { featureCount } from '@picket/shared/features/feature-schema';
import type { LabelledFlows } from './labelled-flows.ts';

export const mostBins = 64;

export interface BinnedFlows {
  readonly count: number;
  /** Columns of the 78 that trees may look at. */
  readonly columns: readonly number[];
  /** Per column, ascending; bin b holds values above edge b − 1 and not above edge b. */
  readonly edges: readonly Float32Array[];
  /** Per column, the bin of each flow. */
  readonly bins: readonly Uint8Array[];
  readonly labels: Uint8Array;
  readonly weights: Float64Array;
}

export function binFlows(flows: LabelledFlows, columns: readonly number[]): BinnedFlows {
  const values = new Float32Array(flows.count);
  const edges: Float32Array[] = [];
  const bins: Uint8Array[] = [];
  for (const column of columns) {
    for (let flow = 0; flow < flows.count; flow++) values[flow] = flows.features[flow * featureCount + column]!;
    const sorted = values.toSorted();
    const cuts = Array.from(
      { length: mostBins - 1 },
      (_, cut) => sorted[Math.floor(((cut + 1) * flows.count) / mostBins)] ?? 0,
    );
    const own = Float32Array.from(new Set(cuts));
    edges.push(own);
    bins.push(Uint8Array.from(values, (value) => binOf(own, value)));
  }
  return { count: flows.count, columns, edges, bins, labels: flows.labels, weights: flows.weights };
}

/** The first bin whose edge is not below the value. */
function binOf(edges: Float32Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
