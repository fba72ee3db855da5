import { expect, test } from 'vitest';
import { featureCount, featureNames } from './feature-schema.ts';
import { normaliseFeature, normaliseFeatures, rateColumns } from './normalise-features.ts';

test('the rates are the columns that count something per second', () => {
  expect(rateColumns.map((column) => featureNames[column])).toEqual([
    'Flow Bytes/s',
    'Flow Packets/s',
    'Fwd Packets/s',
    'Bwd Packets/s',
    'Fwd Avg Bulk Rate',
    'Bwd Avg Bulk Rate',
  ]);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e39, -1e39])(
  '%d becomes 0 in every column',
  (value) => {
    for (let column = 0; column < featureCount; column++) expect(normaliseFeature(column, value)).toBe(0);
  },
);

test('a negative rate becomes 0, any other negative value stays as it is', () => {
  expect(normaliseFeature(featureNames.indexOf('Flow Bytes/s'), -1)).toBe(0);
  expect(normaliseFeature(featureNames.indexOf('Flow Packets/s'), -1)).toBe(0);
  expect(normaliseFeature(featureNames.indexOf('Init_Win_bytes_backward'), -1)).toBe(-1);
  expect(normaliseFeature(featureNames.indexOf('Flow Bytes/s'), 12.5)).toBe(12.5);
});

test('a row is written where it was asked for and nowhere else', () => {
  const from = new Float64Array(3 * featureCount).fill(7);
  from[featureCount + 14] = -1;
  from[featureCount + 15] = Number.NaN;
  const to = new Float32Array(3 * featureCount).fill(-5);
  normaliseFeatures(from, featureCount, to, featureCount);
  expect(to.subarray(0, featureCount).every((value) => value === -5)).toBe(true);
  expect(to.subarray(2 * featureCount).every((value) => value === -5)).toBe(true);
  expect([...to.subarray(featureCount + 13, featureCount + 17)]).toEqual([7, 0, 0, 7]);
});
