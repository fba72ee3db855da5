/** Temperature and offset of the logits, by what they cost on windows whose truth is known. Pure arithmetic, the same each time. */
import type { Calibration } from './network/cnn-lstm.ts';
import { uncalibrated } from './network/cnn-lstm.ts';

/** Of windows, as an uncalibrated network gave them; label 0 is benign, `weights` sum to 1. */
export interface JudgedProbabilities {
  /** windows × classes */
  readonly probabilities: Float32Array;
  readonly labels: Uint8Array;
  readonly weights: Float64Array;
}

/** Beyond these the windows do not say where to stop: they are told apart without a mistake, or not at all. */
export const temperatureBounds = [0.4, 4] as const;
/** In logits. */
export const offsetBounds = [-10, 10] as const;

const gridSteps = 16;
const refinements = 20;
const offsetHalvings = 18;
/** The least that a float32 holds to its last digit; softmax may give 0. */
const smallestProbability = 2 ** -126;

/**
 * Where the cross entropy of the score is least: attack or benign, whichever attack it is. Left as they are where the windows
 * are all of one kind.
 */
export function fitCalibration(judged: JudgedProbabilities): Calibration {
  const { labels, weights } = judged;
  const isSeen = (isAttack: boolean): boolean =>
    labels.some((label, at) => (label !== 0) === isAttack && weights[at]! > 0);
  if (!isSeen(true) || !isSeen(false)) return uncalibrated;
  const classLogits = Float64Array.from(judged.probabilities, (value) =>
    Math.log(Math.max(value, smallestProbability)),
  );
  const fitted = (logTemperature: number): { calibration: Calibration; loss: number } => {
    const temperature = Math.exp(logTemperature);
    const logits = scoreLogits(classLogits, labels.length, temperature);
    const offset = bestOffset(logits, judged);
    return { calibration: { temperature, offset }, loss: scoreLoss(logits, offset, judged) };
  };
  const [from, to] = temperatureBounds.map(Math.log) as [number, number];
  const step = (to - from) / gridSteps;
  const grid = Array.from({ length: gridSteps + 1 }, (_, index) => from + index * step);
  const losses = grid.map((logTemperature) => fitted(logTemperature).loss);
  const around = grid[losses.indexOf(Math.min(...losses))]!;
  return fitted(narrowed((at) => fitted(at).loss, Math.max(from, around - step), Math.min(to, around + step)))
    .calibration;
}

/** Where a function with one valley is least, by golden sections. */
function narrowed(lossAt: (at: number) => number, from: number, to: number): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [from, to];
  let [left, right] = [high - golden * (high - low), low + golden * (high - low)];
  let [lossLeft, lossRight] = [lossAt(left), lossAt(right)];
  for (let step = 0; step < refinements; step++) {
    if (lossLeft <= lossRight) {
      [high, right, lossRight] = [right, left, lossLeft];
      left = high - golden * (high - low);
      lossLeft = lossAt(left);
    } else {
      [low, left, lossLeft] = [left, right, lossRight];
      right = low + golden * (high - low);
      lossRight = lossAt(right);
    }
  }
  return (low + high) / 2;
}

/** log(P(attack) / P(benign)) of each window at a temperature, without an offset. */
function scoreLogits(classLogits: Float64Array, windows: number, temperature: number): Float64Array {
  const classes = classLogits.length / windows;
  const logits = new Float64Array(windows);
  for (let index = 0; index < windows; index++) {
    const [benign, end] = [index * classes, (index + 1) * classes];
    let largest = Number.NEGATIVE_INFINITY;
    for (let at = benign + 1; at < end; at++) largest = Math.max(largest, classLogits[at]!);
    let sum = 0;
    for (let at = benign + 1; at < end; at++) sum += Math.exp((classLogits[at]! - largest) / temperature);
    logits[index] = (largest - classLogits[benign]!) / temperature + Math.log(sum);
  }
  return logits;
}

/** The loss falls as long as more windows are attacks than the scores say, and then rises: one slope, one place without any. */
function bestOffset(logits: Float64Array, { labels, weights }: JudgedProbabilities): number {
  let [low, high]: [number, number] = [...offsetBounds];
  for (let step = 0; step < offsetHalvings; step++) {
    const offset = (low + high) / 2;
    let excess = 0;
    for (let index = 0; index < logits.length; index++)
      excess += weights[index]! * (1 / (1 + Math.exp(-logits[index]! - offset)) - (labels[index] === 0 ? 0 : 1));
    if (excess < 0) low = offset;
    else high = offset;
  }
  return (low + high) / 2;
}

/** Cross entropy of attack or benign. */
function scoreLoss(logits: Float64Array, offset: number, { labels, weights }: JudgedProbabilities): number {
  let sum = 0;
  for (const [index, logit] of logits.entries()) {
    const wrong = labels[index] === 0 ? logit + offset : -logit - offset;
    sum += weights[index]! * (Math.max(0, wrong) + Math.log1p(Math.exp(-Math.abs(wrong))));
  }
  return sum;
}
