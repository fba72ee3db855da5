/** One tree over binned flows, grown from the root down; leaves hold numbers of whatever kind the caller wants. */
import type { BinnedFlows } from './binned-flows.ts';

/** Flat arrays; a node is a leaf where `column` is −1. */
export interface DecisionTree {
  readonly column: Int16Array;
  /** Values not above it go left. */
  readonly limit: Float32Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly leaves: readonly Float64Array[];
}

export interface Split {
  /** Index into `columns` of the binned flows. */
  readonly feature: number;
  /** The last bin that goes left. */
  readonly bin: number;
}

export interface Growth {
  /** The best split of these flows, or undefined where they should stay together. */
  readonly split: (flows: Int32Array, depth: number) => Split | undefined;
  readonly leaf: (flows: Int32Array) => Float64Array;
}

export function growTree(binned: BinnedFlows, flows: Int32Array, growth: Growth): DecisionTree {
  const column: number[] = [];
  const limit: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const leaves: Float64Array[] = [];
  const grow = (members: Int32Array, depth: number): number => {
    const node = column.length;
    const split = growth.split(members, depth);
    column.push(-1);
    limit.push(0);
    left.push(-1);
    right.push(-1);
    leaves.push(growth.leaf(members));
    if (split === undefined) return node;
    const bins = binned.bins[split.feature]!;
    column[node] = binned.columns[split.feature]!;
    limit[node] = binned.edges[split.feature]![split.bin]!;
    left[node] = grow(
      members.filter((flow) => bins[flow]! <= split.bin),
      depth + 1,
    );
    right[node] = grow(
      members.filter((flow) => bins[flow]! > split.bin),
      depth + 1,
    );
    return node;
  };
  grow(flows, 0);
  return {
    column: Int16Array.from(column),
    limit: Float32Array.from(limit),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    leaves,
  };
}

/** The leaf of the flow whose features begin at `offset`. */
export function leafOf(tree: DecisionTree, features: Float32Array, offset: number): Float64Array {
  let node = 0;
  for (;;) {
    const column = tree.column[node]!;
    if (column < 0) return tree.leaves[node]!;
    node = features[offset + column]! <= tree.limit[node]! ? tree.left[node]! : tree.right[node]!;
  }
}
