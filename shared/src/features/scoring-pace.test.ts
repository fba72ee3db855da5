import { expect, test } from 'vitest';
import { ScoringPace } from './scoring-pace.ts';

const ms = 1000;

/** Packet times at which a device is scored that hands over `flows` every `everyMs`, for `forMs`. */
function scoredAt(everyMs: number, flows: number, forMs: number): number[] {
  const pace = new ScoringPace();
  const times: number[] = [];
  let fresh = 0;
  for (let at = 0; at < forMs; at += everyMs) {
    for (let flow = 0; flow < flows; flow++) {
      fresh += 1;
      if (!pace.isDue(at * ms, fresh)) continue;
      pace.noteScored(at * ms);
      times.push(at);
      if (fresh >= 5) fresh = 0;
    }
  }
  return times;
}

test('a burst of flows is scored four times at once, then at the pace of the rests', () => {
  const times = scoredAt(10, 60, 2000);
  expect(times.slice(0, 4)).toEqual([0, 0, 0, 0]);
  expect(times.slice(4)).toEqual([250, 500, 750, 1000, 1250, 1500, 1750]);
});

test('windows that share flows wait for the rest', () => {
  expect(scoredAt(100, 1, 1000)).toEqual([0, 300, 600, 900]);
  expect(scoredAt(100, 3, 1000)).toEqual([0, 300, 600, 900]);
});

test('what came ahead of time is made up for before anything may again', () => {
  const pace = new ScoringPace();
  for (let window = 0; window < 4; window++) {
    expect(pace.isDue(0, 10)).toBe(true);
    pace.noteScored(0);
  }
  expect(pace.isDue(249 * ms, 1000)).toBe(false);
  expect(pace.isDue(250 * ms, 1)).toBe(true);
  pace.noteScored(250 * ms);
  expect(pace.isDue(499 * ms, 1000)).toBe(false);
  expect(pace.isDue(500 * ms, 1000)).toBe(true);
  pace.noteScored(500 * ms);
  // Two seconds of silence later there is room for four again.
  for (let window = 0; window < 4; window++) {
    expect(pace.isDue(2500 * ms, 10)).toBe(true);
    pace.noteScored(2500 * ms);
  }
  expect(pace.isDue(2500 * ms, 10)).toBe(false);
});

test('begins anew when a clock was set back', () => {
  const pace = new ScoringPace();
  pace.noteScored(3_600_000 * ms);
  expect(pace.isDue(0, 10)).toBe(false);
  pace.reset();
  expect(pace.isDue(0, 1)).toBe(true);
});
