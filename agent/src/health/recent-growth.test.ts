import { expect, test } from 'vitest';
import { RecentGrowth } from './recent-growth.ts';

const growth = (): RecentGrowth => new RecentGrowth({ fromBytes: 100, withinMs: 4000 });

test('growth is what is in use beyond the lowest of late', () => {
  const recent = growth();
  expect([110, 120, 115, 140].map((bytes, turn) => recent.note(turn * 250, bytes))).toEqual([0, 10, 5, 30]);
});

test('what is used steadily, or less than before, is no growth', () => {
  const recent = growth();
  expect([200, 200, 180, 180].map((bytes, turn) => recent.note(turn * 250, bytes))).toEqual([0, 0, 0, 0]);
});

test('it is forgotten after its time', () => {
  const recent = growth();
  recent.note(0, 110);
  expect(recent.note(4000, 150)).toBe(40);
  expect(recent.note(4001, 150)).toBe(0);
});

test('below where it counts from it is programs being loaded', () => {
  const recent = growth();
  expect([10, 90, 130].map((bytes, turn) => recent.note(turn * 250, bytes))).toEqual([0, 0, 30]);
});
