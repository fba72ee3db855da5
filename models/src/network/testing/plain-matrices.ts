/** Vectors and matrices of doubles in plain loops, for what is written by hand. */
export type Rows = Float64Array[];

export const zeros = (rows: number, width: number): Rows => Array.from({ length: rows }, () => new Float64Array(width));
export const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** `into[b] += Σ_a left[a] · weight[a, b]`. */
export function times(left: Float64Array, weight: Float32Array, into: Float64Array): void {
  const width = into.length;
  for (const [a, value] of left.entries()) for (let b = 0; b < width; b++) into[b]! += value * weight[a * width + b]!;
}

/** Gradients of `times`: of the weight (added up) and of the left side (added up). */
export function timesBack(
  left: Float64Array,
  weight: Float32Array,
  gradient: Float64Array,
  ofWeight: Float64Array,
  ofLeft?: Float64Array,
): void {
  const width = gradient.length;
  for (const [a, value] of left.entries()) {
    for (let b = 0; b < width; b++) {
      ofWeight[a * width + b]! += value * gradient[b]!;
      if (ofLeft !== undefined) ofLeft[a]! += gradient[b]! * weight[a * width + b]!;
    }
  }
}

export const plus = (values: Float64Array, bias: ArrayLike<number>): Float64Array =>
  values.map((value, at) => value + bias[at]!);
export const addTo = (sum: Float64Array, values: Float64Array): void =>
  values.forEach((value, at) => (sum[at]! += value));

export function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}
