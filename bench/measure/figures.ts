/** A figure of several runs: the median is what to quote, the best is what the machine can do, the spread says how sure. */

export interface Figure {
  readonly median: number;
  /** The smallest: every figure summed up here is a cost. */
  readonly best: number;
  readonly worst: number;
}

/** @param values costs (seconds, bytes), at least one */
export function figureOf(values: readonly number[], digits = 3): Figure {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median: rounded(median, digits), best: rounded(sorted[0]!, digits), worst: rounded(sorted.at(-1)!, digits) };
}

export function rounded(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}
