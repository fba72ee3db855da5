import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { featureCount } from '@picket/shared/features/feature-schema';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyFeatures } from './feature-columns.ts';
import { guesses } from './feature-guesses.ts';
import { decodeFlowPack } from './flow-pack.ts';

test('every feature is guessed once, and from nothing of its row but what is decoded before it', () => {
  const order = guesses.map(([feature]) => feature);
  expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: featureCount }, (_, feature) => feature));
  // few values, so that flows of one packet, of one direction and of equal lengths are among them
  const anyValue = fc.oneof(fc.nat(3), fc.nat(100_000));
  const width = featureCount + Object.keys(keyFeatures).length;
  const anyRow = fc.array(anyValue, { minLength: width, maxLength: width });
  fc.assert(
    fc.property(anyRow, anyRow, anyRow, (like, row, later) => {
      const columns = row.map((value, feature) => Float32Array.of(0, like[feature]!, value));
      const guessed = guesses.map(([, guess]) => guess(columns, 2, 1));
      for (const feature of order) columns[feature]![2] = later[feature]!;
      for (const [index, [feature, guess]] of guesses.entries()) {
        expect(guess(columns, 2, 1)).toBe(guessed[index]);
        columns[feature]![2] = row[feature]!;
      }
    }),
    { numRuns: 200 },
  );
});

test('packs that were written by earlier builds are read as what they were: another formula is another format', () => {
  const written = {
    'first/beacon-home-101': '1123a1bc27aacff0c757587c476a73ad10c48545f1ce56219ecab97aeae7823b',
    'test/test-11-attacks-1-wan': '9ab7b6734d42b75514f9591aa72e764b2e913cc1affdaefe27648e16a1dafd1a',
  };
  for (const [name, sha256] of Object.entries(written)) {
    const path = fileURLToPath(new URL(`../../range/flows/${name}.flows`, import.meta.url));
    const { features } = decodeFlowPack(readFileSync(path), path);
    expect(createHash('sha256').update(features).digest('hex'), name).toBe(sha256);
  }
});
