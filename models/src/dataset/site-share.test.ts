/** A share of a site's windows: the same of each class, nothing of it in what is held out. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { unknownContext } from '@picket/shared/features/flow-context';
import { expect, test } from 'vitest';
import { smallDataset } from '../testing/small-dataset.ts';
import { emptyDataset, slidingWindows } from './flow-rows.ts';
import type { Dataset, Part, WindowSequence } from './flow-rows.ts';
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
  const { sequences, taken, isSplit, takenRuns, testedRuns } = takeShare(unsplit(), 'made', 0.2, 1);
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
  expect(takenRuns.size).toBe(2);
  // Of each of two attacks three runs; each was taken from in one.
  expect(testedRuns.size).toBe(4);
  expect(testedRuns.isDisjointFrom(takenRuns)).toBe(true);
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

/** `count` flows of a plug with as many hosts, one a second, but those in `reports`: these are reports of the flow with that number. */
function addPlug(
  { rows, sequences }: Dataset,
  part: Part,
  count: number,
  reports: ReadonlyMap<number, number>,
  knowsHosts = true,
): void {
  const numbers = Array.from({ length: count }, (_, index) => {
    const flow = reports.get(index) ?? index;
    const setting = {
      startUs: knowsHosts ? flow * 1e6 : Number.NaN,
      lastUs: index * 1e6,
      pair: knowsHosts ? flow : unknownContext,
      direction: unknownContext,
      recentOfDevice: 0,
      recentOfPeer: 0,
      deviceSinceUs: 0,
      peerSinceUs: 0,
    };
    return rows.add(new Float32Array(featureCount), 'benign', '', -1, 0, setting);
  });
  sequences.push({
    source: 'home',
    group: part,
    capture: part,
    device: 'plug',
    part,
    windows: slidingWindows(numbers),
    atUs: Float64Array.from(numbers, (_, index) => index * 1e6),
    counts: new Uint8Array(count),
  });
}

/** Seconds of the windows of a part. */
function secondsOf(sequences: readonly WindowSequence[], part: Part): number[] {
  return sequences.filter((one) => one.part === part).flatMap(({ atUs }) => [...atUs].map((us) => us / 1e6));
}

function from(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

test('a later report of a flow that was taken keeps its windows out of what is checked and what is held out', () => {
  const dataset = emptyDataset();
  // Of 1,000 windows 240 are learnt and 60 checked. One flow is reported in the first and when the second are checked, another much later.
  const reports = new Map([
    [270, 100],
    [800, 5],
    [900, 290],
  ]);
  addPlug(dataset, 'test', 1000, reports);
  const { sequences } = takeShare(dataset, 'home', 0.3, 1);
  expect(secondsOf(sequences, 'train')).toEqual(from(0, 239));
  expect(secondsOf(sequences, 'validation')).toEqual([...from(249, 269), ...from(280, 299)]);
  expect(secondsOf(sequences, 'test')).toEqual([...from(309, 799), ...from(810, 899), ...from(910, 999)]);
});

test('so it does in a test part of its own', () => {
  const dataset = emptyDataset();
  addPlug(dataset, 'train', 100, new Map());
  addPlug(dataset, 'test', 1000, new Map(from(0, 999).map((index) => [index, index === 500 ? 10 : 2000 + index])));
  const { sequences, isSplit } = takeShare(dataset, 'home', 0.5, 1);
  expect(isSplit).toBe(true);
  expect(secondsOf(sequences, 'test')).toEqual([...from(0, 499), ...from(510, 999)]);
});

test('where nobody knows hosts and times each row is a flow of its own', () => {
  const dataset = emptyDataset();
  addPlug(dataset, 'test', 1000, new Map(), false);
  const { sequences } = takeShare(dataset, 'home', 0.3, 1);
  expect(secondsOf(sequences, 'test')).toEqual(from(309, 999));
});

test('what is not there, or has nothing honest to learn from, is refused by name', () => {
  const dataset = smallDataset();
  expect(() => takeShare(dataset, 'elsewhere', 0.05, 1)).toThrow('no source "elsewhere"');
  expect(() => takeShare(dataset, 'made', 0, 1)).toThrow('--share more than 0');
  const attacked = { ...dataset, sequences: dataset.sequences.filter(({ device }) => device === 'victim') };
  expect(() => takeShare(attacked, 'made', 0.05, 1)).toThrow('of "made" there is no benign window');
});
