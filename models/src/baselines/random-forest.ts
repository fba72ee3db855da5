/** Random forest on single flows: Gini impurity, a random eighth of the features per split, flows drawn with repetition. */
import { seededRandom, shuffle } from '../dataset/seeded-random.ts';
import type { FlowClassifier } from '../evaluation/predictor.ts';
import { classCount } from '../network/network-parameters.ts';
import type { BinnedFlows } from './binned-flows.ts';
import { mostBins } from './binned-flows.ts';
import { growTree, leafOf } from './decision-tree.ts';
import type { DecisionTree, Split } from './decision-tree.ts';

const treeCount = 60;
const mostDepth = 18;
const fewestFlows = 4;
const featuresPerSplit = 8;

export function randomForest(binned: BinnedFlows, seed: number): FlowClassifier {
  const random = seededRandom(seed);
  const trees = Array.from({ length: treeCount }, () => {
    const flows = Int32Array.from({ length: binned.count }, () => Math.floor(random() * binned.count));
    return growTree(binned, flows, {
      split: (members, depth) => bestSplit(binned, members, depth, random),
      leaf: (members) => shares(binned, members),
    });
  });
  return { name: `random forest of ${treeCount} trees`, classify: (features, offset) => vote(trees, features, offset) };
}

function vote(trees: readonly DecisionTree[], features: Float32Array, offset: number): Float64Array {
  const sum = new Float64Array(classCount);
  for (const tree of trees) {
    const leaf = leafOf(tree, features, offset);
    for (let index = 0; index < classCount; index++) sum[index]! += leaf[index]! / trees.length;
  }
  return sum;
}

function shares({ labels, weights }: BinnedFlows, flows: Int32Array): Float64Array {
  const result = new Float64Array(classCount);
  let total = 0;
  for (const flow of flows) {
    result[labels[flow]!]! += weights[flow]!;
    total += weights[flow]!;
  }
  return result.map((value) => value / total);
}

function bestSplit(binned: BinnedFlows, flows: Int32Array, depth: number, random: () => number): Split | undefined {
  if (depth >= mostDepth || flows.length < 2 * fewestFlows) return undefined;
  const whole = shares(binned, flows);
  if (whole.some((share) => share > 0.9999)) return undefined;
  const order = shuffle([...binned.columns.keys()], random).slice(0, featuresPerSplit);
  let best: { readonly purity: number; readonly split: Split } | undefined;
  for (const feature of order) {
    const candidate = splitOf(binned, flows, feature);
    if (candidate !== undefined && candidate.purity > (best?.purity ?? 0)) best = candidate;
  }
  return best?.split;
}

/** The cut of one feature that leaves both sides purest: the sum of squared class weights over the side's weight. */
function splitOf(
  { bins, labels, weights }: BinnedFlows,
  flows: Int32Array,
  feature: number,
): { purity: number; split: Split } | undefined {
  const histogram = new Float64Array(mostBins * classCount);
  const counts = new Int32Array(mostBins);
  const own = bins[feature]!;
  const right = new Float64Array(classCount);
  for (const flow of flows) {
    histogram[own[flow]! * classCount + labels[flow]!]! += weights[flow]!;
    counts[own[flow]!]! += 1;
    right[labels[flow]!]! += weights[flow]!;
  }
  const left = new Float64Array(classCount);
  const before = purityOf(right);
  let seen = 0;
  let best: { purity: number; split: Split } | undefined;
  for (let bin = 0; bin < mostBins - 1; bin++) {
    if (counts[bin] === 0) continue;
    seen += counts[bin]!;
    for (let index = 0; index < classCount; index++) {
      const weight = histogram[bin * classCount + index]!;
      left[index]! += weight;
      right[index]! -= weight;
    }
    if (seen < fewestFlows || flows.length - seen < fewestFlows) continue;
    const purity = purityOf(left) + purityOf(right);
    if (purity > before * (1 + 1e-9) && purity > (best?.purity ?? 0)) best = { purity, split: { feature, bin } };
  }
  return best;
}

function purityOf(weights: Float64Array): number {
  let squares = 0;
  let total = 0;
  for (const weight of weights) {
    squares += weight * weight;
    total += weight;
  }
  return total <= 0 ? 0 : squares / total;
}
