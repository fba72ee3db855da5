/**
 * Mean and spread from a count, a sum and a sum of squares of whole numbers. Such sums are exact below 2^53, and the
 * difference that a variance is made of is taken in twice the precision, so nothing cancels.
 */

/** Sample variance (divides by n - 1); 0 for fewer than two values. */
export function sampleVariance(count: number, sum: number, squares: number): number {
  if (count < 2) return 0;
  const left = count * squares;
  const right = sum * sum;
  const difference = left - right + (productError(count, squares, left) - productError(sum, sum, right));
  return difference > 0 ? difference / (count * (count - 1)) : 0;
}

/** What rounding took from `product` = a × b (Dekker). */
function productError(a: number, b: number, product: number): number {
  if (product < 9_007_199_254_740_992) return 0;
  const aSplit = a * 134_217_729;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = b * 134_217_729;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** Write mean, standard deviation, maximum and minimum at `at`; four zeros for no values. */
export function writeSpread(
  out: Float64Array,
  at: number,
  count: number,
  sum: number,
  squares: number,
  max: number,
  min: number,
): void {
  const some = count > 0;
  out[at] = some ? sum / count : 0;
  out[at + 1] = Math.sqrt(sampleVariance(count, sum, squares));
  out[at + 2] = some ? max : 0;
  out[at + 3] = some ? min : 0;
}
