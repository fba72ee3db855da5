import { expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { pauses, within } from './rhythm.ts';

test('a clock without jitter keeps its pause from beginning to beginning, whatever the work took', () => {
  const next = pauses({ kind: 'clock', everyMs: 2000, jitter: 0 }, new Random(1));
  expect([next(0), next(150), next(1999.5)]).toEqual([2000, 1850, 5]);
});

test('a clock with jitter stays within it; chance and bursts keep their mean roughly', () => {
  const jittered = pauses({ kind: 'clock', everyMs: 1000, jitter: 0.3 }, new Random(2));
  for (let index = 0; index < 200; index++) {
    const pause = jittered(0);
    expect(pause).toBeGreaterThanOrEqual(700);
    expect(pause).toBeLessThanOrEqual(1300);
  }
  for (const kind of ['chance', 'bursts'] as const) {
    const next = pauses({ kind, everyMs: 1000, jitter: 0 }, new Random(3));
    const mean = Array.from({ length: 4000 }, () => next(0)).reduce((sum, pause) => sum + pause, 0) / 4000;
    expect(mean).toBeGreaterThan(600);
    expect(mean).toBeLessThan(1500);
  }
});

test('sizes stay within their range, a fixed one stays fixed', () => {
  const random = new Random(4);
  const sizes = Array.from({ length: 2000 }, () => within(random, [10, 5000]));
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(10);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(5000);
  expect(sizes.filter((size) => size < 300).length).toBeGreaterThan(500);
  expect(within(random, [77, 77])).toBe(77);
});
