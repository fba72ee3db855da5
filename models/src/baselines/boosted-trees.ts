/** Gradient-boosted trees on single flows: soft-max loss, one shallow regression tree per class and round. */
import { seededRandom } from '../dataset/seeded-random.ts';
import type { FlowClassifier } from '../evaluation/predictor.ts';
import { classCount } from '../network/network-parameters.ts';
import type { BinnedFlows } from './binned-flows.ts';
import { mostBins } from './binned-flows.ts';
import { growTree, leafOf } from './decision-tree.ts';
import type { DecisionTree, Split } from './decision-tree.ts';

const rounds = 25;
const mostDepth = 5;
const learningRate = 0.3;
/** Share of the flows that each tree sees. */
const sampled = 0.5;
/** Least curvature of a leaf, in flows, and what is added to every leaf's. */
const leastWeight = 2;
const ridge = 1;

export function boostedTrees(binned: BinnedFlows, seed: number): FlowClassifier {
  const random = seededRandom(seed);
  const { count, labels } = binned;
  // Weights that are 1 on average, so that curvatures count flows.
  const weights = binned.weights.map((weight) => weight * count);
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const logits = new Float64Array(count * classCount);
  const trees: { readonly label: number; readonly tree: DecisionTree }[] = [];
  const gradient = new Float64Array(count);
  const curvature = new Float64Array(count);
  for (let round = 0; round < rounds; round++) {
    const probabilities = softmaxRows(logits, count, present);
    const flows = Int32Array.from(Array.from({ length: count }, (_, flow) => flow).filter(() => random() < sampled));
    for (const label of present) {
      for (let flow = 0; flow < count; flow++) {
        const probability = probabilities[flow * classCount + label]!;
        gradient[flow] = weights[flow]! * (probability - (labels[flow] === label ? 1 : 0));
        curvature[flow] = weights[flow]! * probability * (1 - probability);
      }
      const tree = growTree(binned, flows, {
        split: (members, depth) => bestSplit(binned, members, depth, gradient, curvature),
        leaf: (members) => Float64Array.of(-learningRate * stepOf(members, gradient, curvature)),
      });
      trees.push({ label, tree });
      for (let flow = 0; flow < count; flow++) logits[flow * classCount + label]! += binnedLeaf(binned, tree, flow);
    }
  }
  return {
    name: `gradient-boosted trees, ${rounds} rounds`,
    classify: (features, offset) => {
      const row = new Float64Array(classCount);
      for (const { label, tree } of trees) row[label]! += leafOf(tree, features, offset)[0]!;
      return softmaxRows(row, 1, present);
    },
  };
}

function stepOf(flows: Int32Array, gradient: Float64Array, curvature: Float64Array): number {
  let slope = 0;
  let bend = ridge;
  for (const flow of flows) {
    slope += gradient[flow]!;
    bend += curvature[flow]!;
  }
  return slope / bend;
}

function bestSplit(
  { bins, columns }: BinnedFlows,
  flows: Int32Array,
  depth: number,
  gradient: Float64Array,
  curvature: Float64Array,
): Split | undefined {
  if (depth >= mostDepth || flows.length < 8) return undefined;
  let best: { readonly gain: number; readonly split: Split } | undefined;
  for (let feature = 0; feature < columns.length; feature++) {
    const slopes = new Float64Array(mostBins);
    const bends = new Float64Array(mostBins);
    const own = bins[feature]!;
    let slope = 0;
    let bend = 0;
    for (const flow of flows) {
      slopes[own[flow]!]! += gradient[flow]!;
      bends[own[flow]!]! += curvature[flow]!;
      slope += gradient[flow]!;
      bend += curvature[flow]!;
    }
    const before = (slope * slope) / (bend + ridge);
    let leftSlope = 0;
    let leftBend = 0;
    for (let bin = 0; bin < mostBins - 1; bin++) {
      leftSlope += slopes[bin]!;
      leftBend += bends[bin]!;
      const rightBend = bend - leftBend;
      if (leftBend < leastWeight || rightBend < leastWeight) continue;
      const rightSlope = slope - leftSlope;
      const gain = leftSlope ** 2 / (leftBend + ridge) + rightSlope ** 2 / (rightBend + ridge) - before;
      if (gain > (best?.gain ?? 1e-6)) best = { gain, split: { feature, bin } };
    }
  }
  return best?.split;
}

/** The training flow's own leaf, by its bins' edges. */
function binnedLeaf({ columns, edges, bins }: BinnedFlows, tree: DecisionTree, flow: number): number {
  let node = 0;
  for (;;) {
    const column = tree.column[node]!;
    if (column < 0) return tree.leaves[node]![0]!;
    const feature = columns.indexOf(column);
    const bin = bins[feature]![flow]!;
    const isLeft = bin < edges[feature]!.length && edges[feature]![bin]! <= tree.limit[node]!;
    node = isLeft ? tree.left[node]! : tree.right[node]!;
  }
}

/** Over the classes that were there to learn from; the others get nothing. */
function softmaxRows(logits: Float64Array, count: number, present: readonly number[]): Float64Array {
  const result = new Float64Array(count * classCount);
  for (let row = 0; row < count; row++) {
    let total = 0;
    for (const label of present)
      total += result[row * classCount + label] = Math.exp(logits[row * classCount + label]!);
    for (const label of present) result[row * classCount + label]! /= total;
  }
  return result;
}
