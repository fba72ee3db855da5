/** Temperatures and offsets that are known, found again in windows that were drawn by them. */
import { expect, test } from 'vitest';
import { seededRandom } from './dataset/seeded-random.ts';
import { fitCalibration, offsetBounds, temperatureBounds } from './fit-calibration.ts';
import type { JudgedProbabilities } from './fit-calibration.ts';
import { uncalibrated } from './network/cnn-lstm.ts';
import type { Calibration } from './network/cnn-lstm.ts';
import { classCount } from './network/network-parameters.ts';

const windows = 6000;
const even = (count: number): Float64Array => new Float64Array(count).fill(1 / count);

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map((logit) => Math.exp(logit));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** What a network says whose logits mean what they say only after `truth` was done to them. */
function drawn(truth: Calibration): JudgedProbabilities {
  const random = seededRandom(11);
  const labels = new Uint8Array(windows);
  const probabilities = new Float32Array(windows * classCount);
  for (let index = 0; index < windows; index++) {
    const logits = Array.from({ length: classCount }, () => 6 * (random() - 0.5));
    probabilities.set(softmax(logits), index * classCount);
    const meant = softmax(logits.map((logit, at) => logit / truth.temperature + (at === 0 ? 0 : truth.offset)));
    if (random() < meant[0]!) continue;
    labels[index] = 1 + Math.floor(random() * (classCount - 1));
  }
  return { probabilities, labels, weights: even(windows) };
}

test.each([
  { temperature: 0.6, offset: 0.8 },
  { temperature: 1, offset: 0 },
  { temperature: 1.8, offset: -2.5 },
])('%o is found again, whichever attacks the attacks are', (truth) => {
  const judged = drawn(truth);
  const found = fitCalibration(judged);
  expect(found.temperature / truth.temperature).toBeCloseTo(1, 1);
  expect(Math.abs(found.offset - truth.offset)).toBeLessThan(0.2);
  expect(fitCalibration(judged)).toEqual(found);
});

test('a window of double weight is two windows', () => {
  const { probabilities, labels } = drawn({ temperature: 0.7, offset: 1 });
  const attacks = labels.filter((label) => label !== 0).length;
  const weights = even(windows).map((weight, index) => (labels[index] === 0 ? weight : 2 * weight));
  const rows = [...labels.keys()].flatMap((index) => (labels[index] === 0 ? [index] : [index, index]));
  const twice = {
    probabilities: Float32Array.from(
      rows.flatMap((index) => [...probabilities.subarray(index * classCount, (index + 1) * classCount)]),
    ),
    labels: Uint8Array.from(rows, (index) => labels[index]!),
    weights: even(windows + attacks),
  };
  const weighed = fitCalibration({
    probabilities,
    labels,
    weights: weights.map((weight) => (weight * windows) / (windows + attacks)),
  });
  const doubled = fitCalibration(twice);
  expect(weighed.temperature).toBeCloseTo(doubled.temperature, 3);
  expect(weighed.offset).toBeCloseTo(doubled.offset, 3);
});

test('without a mistake, or without both kinds, it stays within bounds', () => {
  const attack = softmax([0, 5, ...Array.from({ length: classCount - 2 }, () => -5)]);
  const benign = softmax([5, ...Array.from({ length: classCount - 1 }, () => -5)]);
  const apart = fitCalibration({
    probabilities: Float32Array.of(...attack, ...benign),
    labels: Uint8Array.of(1, 0),
    weights: even(2),
  });
  expect(apart.temperature).toBeCloseTo(temperatureBounds[0], 3);
  expect(apart.offset).toBeGreaterThanOrEqual(offsetBounds[0]);
  expect(apart.offset).toBeLessThanOrEqual(offsetBounds[1]);
  const certain = Float32Array.of(1, ...new Float32Array(classCount - 1), 0, 1, ...new Float32Array(classCount - 2));
  const wrong = fitCalibration({ probabilities: certain, labels: Uint8Array.of(1, 0), weights: even(2) });
  expect(wrong.temperature).toBeCloseTo(temperatureBounds[1], 3);
  const peace = { probabilities: Float32Array.of(...benign), labels: Uint8Array.of(0), weights: even(1) };
  expect(fitCalibration(peace)).toBe(uncalibrated);
});
