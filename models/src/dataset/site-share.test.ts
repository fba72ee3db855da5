/** A share of a site's windows: the same of each class, nothing of it in what is held out. */
import { expect, test } from 'vitest';
import { smallDataset } from '../testing/small-dataset.ts';
import type { Dataset, WindowSequence } from './flow-rows.ts';
import { takeShare } from './site-share.ts';

function rowsOf(sequences: readonly WindowSequence[], ...parts: readonly WindowSequence['part'][]): Set<number> {
  const chosen = sequences.filter(({ part }) => parts.includes(part));
  return new Set(chosen.flatMap(({ windows }) => [...windows].filter((row) => row >= 0)));
}

/** The flows of a site that nobody split: all of it to test on. */
function unsplit(): Dataset {
  const dataset = smallDataset({ floods: true });
  return { ...dataset, sequences: dataset.sequences.map((one) => ({ ...one, part: 'test' as const })) };
}

test('of each class the same share is taken, and its parts share no flow', () => {
  const { sequences, taken, isSplit, episodes } = takeShare(unsplit(), 'made', 0.2, 1);
  expect(isSplit).toBe(false);
  expect(taken.map((row) => [row.class, row.windows, row.taken])).toEqual([
    ['benign', 360, 72],
    ['ddos_flood', 360, 72],
    // A scan is none before its second flow.
    ['port_scan', 357, 72],
  ]);
  expect(rowsOf(sequences, 'train').isDisjointFrom(rowsOf(sequences, 'validation', 'test'))).toBe(true);
  expect(rowsOf(sequences, 'validation').isDisjointFrom(rowsOf(sequences, 'test'))).toBe(true);
  const windows = sequences.reduce((sum, { atUs }) => sum + atUs.length, 0);
  // Of 1,080 windows those are nowhere that share a flow with one that was taken: nine at each of two borders of a class, and one scan of a flow.
  expect(windows).toBeGreaterThan(1080 - 3 * 2 * 9 - 4);
  expect(episodes.size).toBe(2);
});

test('whole runs of a stretch are taken, another seed takes others, and the same seed the same', () => {
  const dataset = unsplit();
  const learnt = (seed: number): string[] =>
    takeShare(dataset, 'made', 0.1, seed)
      .sequences.filter(({ part }) => part === 'train')
      .map(({ capture, atUs }) => `${capture} ${[...atUs].join()}`);
  expect(learnt(1)).toEqual(learnt(1));
  expect(new Set([1, 2, 3, 4].map((seed) => learnt(seed).join())).size).toBeGreaterThan(1);
  const seconds = learnt(1).flatMap((line) =>
    line
      .split(' ')
      .at(-1)!
      .split(',')
      .map((atUs) => Number(atUs) / 1e6),
  );
  expect(Math.max(...seconds)).toBeLessThan(60);
});

test('a site that has parts is taken from in training and tested in its test part, as it is', () => {
  const dataset = smallDataset();
  const { sequences, isSplit, taken } = takeShare(dataset, 'made', 0.5, 1);
  expect(isSplit).toBe(true);
  expect(taken.map(({ windows }) => windows)).toEqual([120, 119]);
  expect(sequences.filter(({ part }) => part === 'test')).toEqual(
    dataset.sequences.filter(({ part }) => part === 'test'),
  );
  const validation = dataset.sequences.filter(({ part }) => part === 'validation');
  expect(rowsOf(sequences, 'train', 'validation').isDisjointFrom(rowsOf(validation, 'validation'))).toBe(true);
});

test('what is not there, or has nothing honest to learn from, is refused by name', () => {
  const dataset = smallDataset();
  expect(() => takeShare(dataset, 'elsewhere', 0.05, 1)).toThrow('no source "elsewhere"');
  expect(() => takeShare(dataset, 'made', 0, 1)).toThrow('--share more than 0');
  const attacked = { ...dataset, sequences: dataset.sequences.filter(({ device }) => device === 'victim') };
  expect(() => takeShare(attacked, 'made', 0.05, 1)).toThrow('of "made" there is no benign window');
});
