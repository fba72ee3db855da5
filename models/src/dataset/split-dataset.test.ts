import { expect, test } from 'vitest';
import { splitGroups, splitTimes } from './split-dataset.ts';

test('groups go to one part each, every part gets some, and a seed repeats the choice', () => {
  const groups = Array.from({ length: 24 }, (_, index) => `device ${index}`);
  const parts = splitGroups(groups, 4);
  expect(parts.size).toBe(24);
  expect(new Set(parts.values())).toEqual(new Set(['train', 'validation', 'test']));
  expect(splitGroups(groups.toReversed(), 4)).toEqual(parts);
  expect([...splitGroups(groups, 5)]).not.toEqual([...parts]);
});

test('times are split in order, with a gap that belongs to no part', () => {
  const times = Array.from({ length: 1000 }, (_, index) => index * 10);
  const parts = splitTimes(times, 100);
  const latest = (part: string): number => Math.max(...times.filter((_, index) => parts[index] === part));
  const earliest = (part: string): number => Math.min(...times.filter((_, index) => parts[index] === part));
  expect(earliest('validation') - latest('train')).toBeGreaterThan(100);
  expect(earliest('test') - latest('validation')).toBeGreaterThan(100);
  expect(parts.filter((part) => part === 'test').length).toBe(200);
  expect(parts.filter((part) => part === undefined).length).toBe(20);
});
