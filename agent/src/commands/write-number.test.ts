/** One wrong last digit in a million values would go unnoticed in a table: so `String` is asked about very many. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberBytes, writeNumber } from './write-number.ts';

const bytes = Buffer.alloc(2 * numberBytes);

function written(value: number): string {
  return bytes.toString('latin1', 0, writeNumber(bytes, 0, value));
}

/** The numbers beside a decimal are the ones whose shortest text is hardest to tell. */
function beside(value: number): number[] {
  const float = new Float64Array([value]);
  const word = new BigInt64Array(float.buffer);
  return [-2n, 1n, 2n, 1n].map((step) => {
    word[0] = word[0]! + step;
    return float[0]!;
  });
}

test('whole numbers, and what String writes with an exponent', () => {
  const whole = [0, -0, 1, 9, 10, 65_535, 1e9 - 1, 1e9, 1e9 + 1, 2 ** 32, 123_456_789_012, 1e15 - 1, 1e15, 2 ** 53];
  const others = [-1, -1e9, -0.5, 1e21, 1.5e300, 5e-324, -1e-300 / 3, Infinity, -Infinity, NaN];
  const longest = Array.from({ length: 16 }, (_, digits) => 10 ** digits - 1);
  const numbers = [...whole, ...others, ...longest];
  expect(numbers.map(written)).toEqual(numbers.map(String));
});

test('powers of two, and the numbers beside them', () => {
  const numbers = Array.from({ length: 80 }, (_, i) => 2 ** (i - 25)).flatMap((value) => [value, ...beside(value)]);
  expect(numbers.map(written)).toEqual(numbers.map(String));
});

test('halfway between two digits the even one is written', () => {
  const numbers = [0.25, 0.75].map((rest) => 2 ** 49 + rest);
  expect(numbers.map(written)).toEqual(['562949953421312.2', '562949953421312.8']);
  expect(numbers.map(String)).toEqual(numbers.map(written));
});

test('any number, quotients such as means and rates, decimals and the numbers beside them', () => {
  const anything = fc.double();
  const usual = fc.double({ min: 1e-7, max: 1e16 });
  const quotient = fc.tuple(fc.integer({ min: 1 }), fc.integer({ min: 1, max: 100_000 })).map(([a, b]) => a / b);
  const root = fc.maxSafeNat().map(Math.sqrt);
  const decimal = fc.tuple(fc.maxSafeNat(), fc.integer({ min: 1, max: 22 })).map(([a, b]) => a / 10 ** b);
  fc.assert(
    fc.property(fc.oneof(anything, usual, quotient, root, decimal), (value) => {
      for (const number of [value, ...beside(value)]) expect(written(number)).toBe(String(number));
    }),
    { numRuns: 5_000 },
  );
});
