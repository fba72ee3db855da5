/** The one feature that tells most on its own: what every published figure should be held against first. */
import { featureNames } from '@picket/shared/features/feature-schema';
import type { FlowClassifier } from '../evaluation/predictor.ts';
import { classCount } from '../network/network-parameters.ts';
import type { BinnedFlows } from './binned-flows.ts';
import { mostBins } from './binned-flows.ts';

/** Class shares per bin of that feature, which is as much as any function of it can know. */
export function strongestFeature(binned: BinnedFlows): FlowClassifier {
  const candidates = binned.columns.map((column, feature) => ({ column, feature, ...sharesOf(binned, feature) }));
  const best = candidates.reduce((a, b) => (b.purity > a.purity ? b : a));
  const edges = binned.edges[best.feature]!;
  return {
    name: `best single feature (${featureNames[best.column]!})`,
    classify: (features, offset) => {
      const value = features[offset + best.column]!;
      let bin = 0;
      while (bin < edges.length && edges[bin]! < value) bin += 1;
      return best.shares.subarray(bin * classCount, (bin + 1) * classCount);
    },
  };
}

function sharesOf(
  { bins, labels, weights, count }: BinnedFlows,
  feature: number,
): { shares: Float64Array; purity: number } {
  const shares = new Float64Array(mostBins * classCount);
  const totals = new Float64Array(mostBins);
  for (let flow = 0; flow < count; flow++) {
    const bin = bins[feature]![flow]!;
    shares[bin * classCount + labels[flow]!]! += weights[flow]!;
    totals[bin]! += weights[flow]!;
  }
  let purity = 0;
  for (let bin = 0; bin < mostBins; bin++) {
    for (let index = 0; index < classCount; index++) {
      const at = bin * classCount + index;
      shares[at] = totals[bin] === 0 ? (index === 0 ? 1 : 0) : shares[at]! / totals[bin]!;
      purity += totals[bin]! * shares[at] ** 2;
    }
  }
  return { shares, purity };
}
