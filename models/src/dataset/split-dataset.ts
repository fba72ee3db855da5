/**
 * Which stretches of time are learnt from and which are kept aside, decided for flows before any window is cut: windows
 * overlap, and one that reached across would hand the answer over.
 */
import type { Part } from './flow-rows.ts';
import { seededRandom } from './seeded-random.ts';

interface Shares {
  readonly validation: number;
  readonly test: number;
}

const defaultShares: Shares = { validation: 0.15, test: 0.25 };

/** One stretch of time, all of which goes to one part; undefined in the gap at its start. */
export interface TimeBlock {
  readonly number: number;
  readonly part: Part | undefined;
}

/**
 * Blocks of `blockUs`, each given to a part by the seed. What lies within `gapUs` after a block's start belongs to no
 * part, so that neighbours of one burst do not stand on both sides. The same time is in the same block for everybody.
 */
export function splitBlocks(
  blockUs: number,
  gapUs: number,
  seed: number,
  shares = defaultShares,
): (timeUs: number) => TimeBlock {
  return (timeUs) => {
    const number = Math.floor(timeUs / blockUs);
    if (timeUs - number * blockUs < gapUs) return { number, part: undefined };
    const lot = seededRandom(seed * 1_000_003 + number)();
    const part = lot < shares.test ? 'test' : lot < shares.test + shares.validation ? 'validation' : 'train';
    return { number, part };
  };
}
