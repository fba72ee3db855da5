import { expect, test } from 'vitest';
import { ReconnectPace } from './reconnect-pace.ts';

const gone = { livedMs: 0, refused: false };

test('the wait doubles up to its bound, and begins anew after a connection that lasted', () => {
  const pace = new ReconnectPace({ firstMs: 100, maxMs: 1000, stableMs: 30_000 }, () => 0.5);
  expect([1, 2, 3, 4, 5, 6].map(() => pace.next(gone))).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect(pace.next({ livedMs: 29_999, refused: false })).toBe(1000);
  expect(pace.next({ livedMs: 30_000, refused: false })).toBe(100);
});

test('a broker that takes the connection and ends it at once is not stormed', () => {
  const pace = new ReconnectPace({}, () => 0);
  const waits = Array.from({ length: 20 }, () => pace.next({ livedMs: 50, refused: false }));
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(100_000);
});

test('after a refusal the wait is that of a person who has to mend something', () => {
  const pace = new ReconnectPace({ refusedMs: 120_000 }, () => 0);
  expect(pace.next({ livedMs: 0, refused: true })).toBe(60_000);
});

test('a fleet does not come back at one instant', () => {
  const waits = Array.from({ length: 100 }, () => new ReconnectPace({ firstMs: 1000 }).next(gone));
  expect(new Set(waits.map(Math.round)).size).toBeGreaterThan(50);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
  expect(Math.max(...waits)).toBeLessThan(1500);
});
