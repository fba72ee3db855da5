import { windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import type { WindowSequence } from '../dataset/flow-rows.ts';
import { classCount } from '../network/network-parameters.ts';
import { poissonUpperBound } from './alert-figures.ts';
import { alertCount, proofsOf } from './alarms.ts';

const scan = trafficClasses.indexOf('port_scan');

/** Windows of ten flows every second; `counts` says which are new enough. */
function sequence(counts: readonly number[]): WindowSequence {
  return {
    source: 'made',
    group: 'site',
    capture: 'one',
    device: '10.0.0.2',
    part: 'test',
    windows: new Int32Array(counts.length * windowLength),
    atUs: Float64Array.from(counts, (_, index) => index * 1e6),
    counts: Uint8Array.from(counts),
  };
}

function scores(values: readonly number[]): Float32Array {
  const rows = new Float32Array(values.length * classCount);
  for (const [index, value] of values.entries()) {
    rows[index * classCount] = 1 - value;
    rows[index * classCount + scan] = value;
  }
  return rows;
}

test('one loud window is no proof, and windows without enough new do not count', () => {
  expect(proofsOf(sequence([1, 1, 1, 1]), scores([0, 1, 0, 0]), 0.9)).toEqual([]);
  expect(proofsOf(sequence([1, 0, 0, 0, 0]), scores([1, 1, 1, 1, 1]), 0.9)).toEqual([]);
});

test('enough loud windows of the last few are one, and it names its class', () => {
  const proofs = proofsOf(sequence([1, 1, 1, 1, 1]), scores([1, 0, 1, 1, 1]), 0.9);
  expect(proofs.length).toBeGreaterThan(0);
  expect(proofs[0]!.attack).toBe(scan);
  expect(proofs[0]!.windows.every((number) => number !== 1)).toBe(true);
  expect(proofsOf(sequence([1, 1, 1, 1, 1]), scores([1, 0, 1, 1, 1]), 1.01)).toEqual([]);
});

test('what is a little less sure is proven by going on and on', () => {
  const counts = Array.from({ length: 20 }, () => 1);
  const lasting = (loud: number): Float32Array => scores(counts.map((_, index) => (index >= 20 - loud ? 0.92 : 0.5)));
  expect(proofsOf(sequence(counts), lasting(14), 0.98)).toEqual([]);
  expect(proofsOf(sequence(counts), lasting(15), 0.98)).toMatchObject([{ attack: scan, atUs: 19e6 }]);
});

test('proofs are one alert until it has been quiet for five minutes', () => {
  const at = (seconds: number): { atUs: number; attack: number; windows: number[] } => {
    return { atUs: seconds * 1e6, attack: scan, windows: [] };
  };
  expect(alertCount([at(0), at(10), at(200), at(499)])).toBe(1);
  expect(alertCount([at(0), at(10), at(311)])).toBe(2);
  expect(alertCount([at(0), { ...at(1), attack: 1 }])).toBe(2);
  expect(alertCount([at(0), at(400)], ({ atUs }) => atUs > 0)).toBe(1);
});

test('the bound on a rate that was never seen is three, and grows with what was seen', () => {
  expect(poissonUpperBound(0)).toBeCloseTo(2.996, 3);
  expect(poissonUpperBound(1)).toBeCloseTo(4.744, 3);
  expect(poissonUpperBound(10)).toBeCloseTo(16.962, 2);
});
