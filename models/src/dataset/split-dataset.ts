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

const defaultShares: Shares = { validation: 0.15, test: 0.2 };

/** Whole groups (hosts, device types) go to one part; the seed chooses which. At least one goes to each part from three on. */
export function splitGroups(groups: Iterable<string>, seed: number, shares = defaultShares): Map<string, Part> {
  const order = shuffle([...new Set(groups)].sort(), seededRandom(seed));
  const tests = order.length < 3 ? 0 : Math.max(1, Math.round(order.length * shares.test));
  const validations = order.length < 3 ? 0 : Math.max(1, Math.round(order.length * shares.validation));
  return new Map(
    order.map((group, index) => [group, index < tests ? 'test' : index < tests + validations ? 'validation' : 'train']),
  );
}

/**
 * Part of each of the given times: the earliest are learnt from, the next validate, the latest test. Flows within
 * `gap` before a boundary belong to none, so that neighbours of one burst do not stand on both sides.
 */
export function splitTimes(times: readonly number[], gap: number, shares = defaultShares): (Part | undefined)[] {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const validationFrom = at(1 - shares.validation - shares.test);
  const testFrom = at(1 - shares.test);
  return times.map((time) => {
    if (time >= testFrom) return 'test';
    if (time >= validationFrom) return time >= testFrom - gap ? undefined : 'validation';
    return time >= validationFrom - gap ? undefined : 'train';
  });
}
