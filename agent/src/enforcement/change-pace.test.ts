import { expect, test } from 'vitest';
import { ChangePace } from './change-pace.ts';

/** How often is looked within so many seconds, where the next change comes as soon as a look was taken. */
function looksWithin(seconds: number, everyMs = 0): readonly number[] {
  let nowMs = 1_000_000;
  const startMs = nowMs;
  const pace = new ChangePace(() => nowMs);
  const looks: number[] = [];
  for (;;) {
    nowMs += pace.next();
    if (nowMs - startMs > seconds * 1000) return looks;
    looks.push(nowMs - startMs);
    nowMs += everyMs;
  }
}

test('what changes now and then is looked at at once', () => {
  expect(looksWithin(1)).toEqual([200, 400, 600, 800, 1000]);
  const calm = looksWithin(600, 10_000);
  expect(calm.slice(1).every((atMs, index) => atMs === calm[index]! + 10_200)).toBe(true);
});

test('what never stops changing is looked at every five seconds', () => {
  const looks = looksWithin(3600);
  expect(looks.length).toBeGreaterThan(3600 / 5 - 5);
  expect(looks.length).toBeLessThanOrEqual(3600 / 5 + 5);
  expect(Math.max(...looks.slice(1).map((atMs, index) => atMs - looks[index]!))).toBeLessThanOrEqual(5000);
});
