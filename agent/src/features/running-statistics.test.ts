import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleVariance, writeSpread } from './running-statistics.ts';

function sums(values: readonly number[]): [number, number, number] {
  return [values.length, values.reduce((a, b) => a + b, 0), values.reduce((a, b) => a + b * b, 0)];
}

/** In whole numbers without bound. */
function exactVariance(values: readonly number[]): number {
  const count = BigInt(values.length);
  const sum = values.reduce((total, value) => total + BigInt(value), 0n);
  const squares = values.reduce((total, value) => total + BigInt(value) ** 2n, 0n);
  const scaled = ((count * squares - sum * sum) * 10n ** 12n) / (count * (count - 1n));
  return Number(scaled) / 1e12;
}

test('divides by n - 1, and one value has no spread', () => {
  expect(sampleVariance(...sums([2, 4, 4, 4, 5, 5, 7, 9]))).toBeCloseTo(32 / 7, 12);
  expect(sampleVariance(1, 5, 25)).toBe(0);
  const out = new Float64Array(5).fill(9);
  writeSpread(out, 1, 3, 12, 56, 6, 2);
  expect([...out]).toEqual([9, 4, 2, 6, 2]);
  writeSpread(out, 1, 0, 0, 0, -Infinity, Infinity);
  expect([...out]).toEqual([9, 0, 0, 0, 0]);
});

test('nothing cancels: times of a minute that differ by a microsecond', () => {
  expect(sampleVariance(...sums([60_000_000, 60_000_001]))).toBe(0.5);
  expect(sampleVariance(...sums(Array.from({ length: 1000 }, () => 59_999_999)))).toBe(0);
});

test('agrees with unbounded arithmetic', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30_000_000 }), { minLength: 2, maxLength: 8 }), (values) => {
      const exact = exactVariance(values);
      expect(Math.abs(sampleVariance(...sums(values)) - exact)).toBeLessThanOrEqual(1e-11 * exact + 1e-11);
    }),
    { numRuns: 1000 },
  );
});
