import { describe, expect, test } from 'vitest';
import { MemoryWatch } from './memory-watch.ts';

const max = 256 * 2 ** 20;

function watchOf(garbage = 0) {
  const process = { share: 0.5, garbage };
  const changes: string[] = [];
  const lines: string[] = [];
  const watch = new MemoryWatch({
    maxBytes: max,
    residentBytes: () => (process.share + process.garbage) * max,
    collectGarbage: () => (process.garbage = 0),
    log: (text) => lines.push(text),
  });
  watch.listen(() => changes.push(watch.state.shedding.join(' ')));
  return { process, watch, changes, lines };
}

describe('near its bound the agent gives up', () => {
  test('nothing while there is room, then reasons, then records, then room for flows', () => {
    const { process, watch, changes, lines } = watchOf();
    for (const [turn, share] of [0.5, 0.89, 0.89, 0.91, 0.91, 0.94, 0.94, 0.98].entries()) {
      process.share = share;
      watch.look(turn * 5000); // no growth within seconds
    }
    expect(changes).toEqual(['explanations', 'explanations reports', 'explanations reports capacity']);
    expect(lines.at(-1)).toBe('memory: 251 MiB of 256 MiB in use; given up: explanations, reports, capacity');
    expect(watch.state).toMatchObject({ shedTimes: 3, peakBytes: 0.98 * max });
  });

  test('what would be given up after as much growth again is given up at once, until growth ends', () => {
    const { process, watch } = watchOf();
    const sheddingAt = (nowMs: number, share: number): readonly string[] => {
      process.share = share;
      watch.look(nowMs);
      return watch.state.shedding;
    };
    expect(sheddingAt(0, 0.75)).toEqual([]);
    expect(sheddingAt(500, 0.8)).toEqual([]);
    expect(sheddingAt(1000, 0.83)).toEqual(['explanations']);
    expect(sheddingAt(1500, 0.86)).toEqual(['explanations', 'reports', 'capacity']);
    expect(sheddingAt(6000, 0.85)).toEqual(['explanations', 'reports']);
    expect(sheddingAt(6500, 0.85)).toEqual(['explanations']);
    expect(sheddingAt(7000, 0.85)).toEqual([]);
  });

  test('nothing for a program that is being loaded', () => {
    const { process, watch } = watchOf();
    for (const [turn, share] of [0.2, 0.4, 0.6, 0.68].entries()) {
      process.share = share;
      watch.look(turn * 250);
    }
    expect(watch.state).toMatchObject({ shedding: [], collections: 0 });
  });

  test('and takes it up again one by one, with some room between', () => {
    const { process, watch } = watchOf();
    process.share = 0.99;
    watch.look(0);
    process.share = 0.93;
    watch.look(500);
    expect(watch.sheds('capacity')).toBe(true);
    process.share = 0.7;
    watch.look(1000);
    expect(watch.state.shedding).toEqual(['explanations', 'reports']);
    watch.look(1500);
    watch.look(2000);
    expect(watch.sheds('explanations')).toBe(false);
  });

  test('garbage first: it is collected before anything is given up, and not at every look', () => {
    const { process, watch, changes } = watchOf(0.48);
    watch.look(0);
    expect(changes).toEqual([]);
    process.garbage = 0.48;
    watch.look(500);
    expect(watch.state).toMatchObject({ collections: 1, shedding: ['explanations', 'reports', 'capacity'] });
    watch.look(2500);
    expect(watch.state.collections).toBe(2);
  });

  test('where there is no garbage it is looked for ever more seldom', () => {
    const { process, watch } = watchOf();
    process.share = 0.88;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 250) watch.look(nowMs);
    // At 0, then 1.5, 3, 6 and 12 s apart, and every 12 s from there on.
    expect(watch.state.collections).toBe(8);
    process.garbage = 0.05;
    for (let nowMs = 60_000; nowMs < 72_000; nowMs += 250) watch.look(nowMs);
    process.garbage = 0.05;
    const before = watch.state.collections;
    for (let nowMs = 72_000; nowMs < 73_000; nowMs += 250) watch.look(nowMs);
    expect(watch.state.collections).toBeGreaterThan(before);
  });

  test('and however seldom it is looked for, before more is given up', () => {
    const { process, watch, changes } = watchOf();
    process.share = 0.88;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 250) watch.look(nowMs);
    process.garbage = 0.08;
    watch.look(60_000);
    expect(watch.state).toMatchObject({ collections: 9, shedding: [] });
    expect(changes).toEqual([]);
  });
});
