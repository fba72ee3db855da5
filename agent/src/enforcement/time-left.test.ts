import { describe, expect, test } from 'vitest';
import { restoreEnd, seenEveryMs, type LastSeen } from './time-left.ts';

const minute = 60_000;
const wall = Date.UTC(2026, 5, 1, 12);
/** Seen running 10 minutes after boot, with 30 minutes left to go. */
const seen: LastSeen = { boot_id: 'a', uptime_ms: 10 * minute, wall_ms: wall, is_running: 1 };
const stored = { byWallMs: wall + 30 * minute, uptimeMs: 40 * minute, isUnsure: false };

describe('in the same boot', () => {
  test('what has passed since is taken off, to the millisecond', () => {
    const now = { bootId: 'a', uptimeMs: 15 * minute, wallMs: wall + 5 * minute };
    expect(restoreEnd(stored, seen, now)).toEqual({ leftMs: 25 * minute, isUnsure: false });
  });

  test.each([-20 * 365 * 24 * 60, -60, 60, 20 * 365 * 24 * 60])('a clock set by %i minutes changes nothing', (by) => {
    const now = { bootId: 'a', uptimeMs: 15 * minute, wallMs: wall + by * minute };
    expect(restoreEnd(stored, seen, now).leftMs).toBe(25 * minute);
  });
});

describe('after a reboot', () => {
  test('the time the machine was off counts, where the clock knows it', () => {
    const now = { bootId: 'b', uptimeMs: minute, wallMs: wall + 12 * minute };
    expect(restoreEnd(stored, seen, now)).toEqual({ leftMs: 18 * minute, isUnsure: true });
  });

  test('a clock that begins in 1970 extends nothing: at most what was left when the machine was last seen', () => {
    const now = { bootId: 'b', uptimeMs: minute, wallMs: 5000 };
    expect(restoreEnd(stored, seen, now)).toEqual({ leftMs: 30 * minute - seenEveryMs, isUnsure: true });
  });

  test('a stop in good order loses no time to caution', () => {
    const now = { bootId: 'b', uptimeMs: minute, wallMs: 5000 };
    expect(restoreEnd(stored, { ...seen, is_running: 0 }, now).leftMs).toBe(30 * minute);
  });

  test('an uptime that went back is another boot, whatever its name', () => {
    const now = { bootId: 'a', uptimeMs: minute, wallMs: wall + 10 * minute };
    expect(restoreEnd(stored, seen, now)).toEqual({ leftMs: 20 * minute, isUnsure: true });
  });

  test('a decision that ran out meanwhile has nothing left', () => {
    const now = { bootId: 'b', uptimeMs: minute, wallMs: wall + 31 * minute };
    expect(restoreEnd(stored, seen, now).leftMs).toBeLessThan(0);
  });
});

test('no clock, no reboot and no order of them ever leaves more than was left', () => {
  for (const bootId of ['a', 'b']) {
    for (const uptimeMs of [0, 9 * minute, 10 * minute, 39 * minute, 41 * minute]) {
      for (const byMinutes of [-1e7, -100, -1, 0, 1, 29, 31, 1e7]) {
        for (const is_running of [0, 1]) {
          const now = { bootId, uptimeMs, wallMs: wall + byMinutes * minute };
          expect(restoreEnd(stored, { ...seen, is_running }, now).leftMs).toBeLessThanOrEqual(30 * minute);
        }
      }
    }
  }
});
