/**
 * Who is learnt from and who is kept aside, decided for flows, hosts and device types before any window is cut: windows
 * overlap, and one that reached across would hand the answer over.
 */
import type { Part } from './flow-rows.ts';
import { seededRandom, shuffle } from './seeded-random.ts';

interface Shares {
  readonly validation: number;
  readonly test: number;
}

const defaultShares: Shares = { validation: 0.15, test: 0.25 };

/** Whole groups (hosts, device types) go to one part; the seed chooses which. At least one goes to each part from three on. */
export function splitGroups(groups: Iterable<string>, seed: number, shares = defaultShares): Map<string, Part> {
  const order = shuffle([...new Set(groups)].sort(), seededRandom(seed));
  const tests = order.length < 3 ? 0 : Math.max(1, Math.round(order.length * shares.test));
  const validations = order.length < 3 ? 0 : Math.max(1, Math.round(order.length * shares.validation));
  return new Map(
    order.map((group, index) => [group, index < tests ? 'test' : index < tests + validations ? 'validation' : 'train']),
  );
}

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
