/** Pauses between what a host does, by its rhythm. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../random.ts';
import type { Range, Rhythm } from '../conversation.ts';

/** Gives the pause, ms, before the next occasion, after one that took `spentMs`. */
export function pauses(rhythm: Rhythm, random: Random): (spentMs: number) => number {
  let left = 0;
  return (spentMs) => {
    if (rhythm.kind === 'clock') {
      return Math.max(rhythm.everyMs * (1 + rhythm.jitter * random.between(-1, 1)) - spentMs, 5);
    }
    if (rhythm.kind === 'chance') return Math.max(random.exponential(rhythm.everyMs), 5);
    if (left === 0) left = random.integer(2, 9);
    left -= 1;
    return Math.max(random.exponential(left === 0 ? rhythm.everyMs * 4 : rhythm.everyMs / 6), 5);
  };
}

/** Do `act` again and again. What it throws ends this one occasion only: peers come and go. */
export async function again(rhythm: Rhythm, random: Random, act: () => Promise<void>): Promise<never> {
  const next = pauses(rhythm, random);
  await pause(random.between(0, Math.min(rhythm.everyMs, 30_000)));
  for (;;) {
    const began = performance.now();
    await act().catch(() => undefined);
    await pause(next(performance.now() - began));
  }
}

/** A whole number of the range, small ones as likely as large ones by magnitude. */
export function within(random: Random, [low, high]: Range): number {
  if (low >= high) return low;
  return Math.round((low + 1) * ((high + 1) / (low + 1)) ** random.next() - 1);
}
