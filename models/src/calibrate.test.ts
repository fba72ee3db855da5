/** The threshold's rule, on validation sources whose scores are made for the question. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import { allowedAlerts, chooseThreshold } from './calibrate.ts';
import { emptyDataset } from './dataset/flow-rows.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import type { Predictor } from './evaluation/predictor.ts';
import { classCount } from './network/network-parameters.ts';

const scan = trafficClasses.indexOf('port_scan');

interface MadeSource {
  readonly source: string;
  readonly hours: number;
  /** One per window, a second apart. */
  readonly scores: readonly number[];
}

/** Benign windows of ten flows whose score is their first feature. */
function datasetOf(sources: readonly MadeSource[]): Dataset {
  const made = emptyDataset();
  for (const { source, hours, scores } of sources) {
    const windows = scores.flatMap((score) => {
      const row = made.rows.add(new Float32Array(featureCount).fill(score), 'benign', '');
      return Array.from({ length: windowLength }, () => row);
    });
    const key = { source, group: 'site', capture: 'life', part: 'validation' as const };
    made.sequences.push({
      ...key,
      device: '10.0.0.2',
      windows: Int32Array.from(windows),
      atUs: Float64Array.from(scores, (_, index) => index * 1e6),
      counts: new Uint8Array(scores.length).fill(1),
    });
    made.listenings.push({ ...key, seconds: 3600 * hours, view: 'lan', flows: scores.length, isAttacked: false });
  }
  return made;
}

const predictor: Predictor = {
  name: 'the first feature',
  score: ({ count, windows }) => {
    const probabilities = new Float32Array(count * classCount);
    for (let index = 0; index < count; index++) {
      const score = windows[((index + 1) * windowLength - 1) * featureCount]!;
      probabilities[index * classCount] = 1 - score;
      probabilities[index * classCount + scan] = score;
    }
    return Promise.resolve(probabilities);
  },
};

const all = (score: number, count: number): number[] => Array.from({ length: count }, () => score);
const quiet = (count: number): number[] => all(0.1, count);
const bounds = [0.05, 0.9999] as const;

test('one window in a thousand may alarm, and a small source is not drowned by a large one', async () => {
  const large = { source: 'large', hours: 100, scores: [...quiet(4000), ...all(0.6, 3)] };
  const alone = await chooseThreshold(predictor, datasetOf([large]), bounds);
  expect(alone.threshold).toBeLessThan(0.2);
  const small = { source: 'small', hours: 1, scores: [...quiet(200), 0.8, ...quiet(20), 0.85] };
  const both = await chooseThreshold(predictor, datasetOf([large, small]), bounds);
  // One of its windows may alarm, the second may not.
  expect(both.threshold).toBeGreaterThan(0.8);
  expect(both.threshold).toBeLessThan(0.85);
  expect(both.reason).toContain('small 1 of 222 windows');
});

test('as many alerts are let pass as come in one case of twenty or more where there is one a day', () => {
  // Poisson: P(1 or more in 1.23 h) = 0.05; P(2 or more in 14 h) = 0.12, of 3 or more 0.02; P(6 or more in 3 days) = 0.08, of 7 or more 0.03.
  expect([1, 1.2, 1.3, 4, 8, 14, 25, 72].map((hours) => allowedAlerts(hours / 24))).toEqual([0, 0, 1, 1, 1, 2, 3, 6]);
});

test(
  'gateways in peace may alert as often as is not unlikely at one a day: once in four hours, never in one',
  { timeout: 600_000 },
  async () => {
    const burst = (scores: readonly number[]): number[] =>
      scores.flatMap((score) => [...quiet(8000), ...all(score, 8)]);
    const life = (hours: number, scores: readonly number[]): Dataset =>
      datasetOf([{ source: 'range', hours, scores: [...burst(scores), ...quiet(10)] }]);
    const brief = await chooseThreshold(predictor, life(1, [0.6]), bounds);
    expect(brief.threshold).toBeGreaterThan(0.6);
    expect(brief.reason).toMatch(/0 alerts in 1\.0 hours, which rules out more than 71\.9 a day/);
    const some = await chooseThreshold(predictor, life(4, [0.6]), bounds);
    expect(some.threshold).toBeLessThan(0.6);
    expect(some.reason).toMatch(/1 alert in 4\.0 hours, which rules out more than 28\.5 a day/);
    const two = await chooseThreshold(predictor, life(4, [0.6, 0.7]), bounds);
    expect(two.threshold).toBeGreaterThan(0.6);
    expect(two.threshold).toBeLessThan(0.7);
    const long = await chooseThreshold(predictor, life(14, [0.6, 0.7]), bounds);
    expect(long.threshold).toBeLessThan(0.6);
  },
);

test('an alert of each source is let pass, but not of many together', { timeout: 600_000 }, async () => {
  const source = (name: string, score: number): MadeSource => ({
    source: name,
    hours: 4,
    scores: [...quiet(8000), ...all(score, 8), ...quiet(10)],
  });
  const alone = await chooseThreshold(predictor, datasetOf([source('one', 0.6)]), bounds);
  expect(alone.threshold).toBeLessThan(0.6);
  const both = await chooseThreshold(predictor, datasetOf([source('one', 0.6), source('other', 0.7)]), bounds);
  expect(both.threshold).toBeGreaterThan(0.6);
  expect(both.threshold).toBeLessThan(0.7);
});

test('what cannot be reached is said', async () => {
  const { threshold, reason } = await chooseThreshold(
    predictor,
    datasetOf([{ source: 'range', hours: 1, scores: all(1, 50) }]),
    bounds,
  );
  expect(threshold).toBe(0.9999);
  expect(reason).toContain('out of reach: range');
});
