/** A dataset from which training learns nothing of some kinds of attack: to see what it makes of them afterwards. */
import { windowLength } from '@picket/shared/features/feature-schema';
import { TrafficClass, trafficClasses } from '@picket/shared/features/traffic-classes';
import { windowAt } from './evaluation-windows.ts';
import type { Dataset, WindowSequence } from './flow-rows.ts';

/**
 * Without the training and validation windows that hold a flow of one of these classes, and without its runs there. The
 * other windows of the same captures stay, and so does all of the test part. What such an attack left behind, a late reset,
 * has no class and stays where it stands among other flows; how many flows there were of late counts the attack's as well.
 */
export function withoutClasses(dataset: Dataset, left: readonly TrafficClass[]): Dataset {
  if (left.length === 0) return dataset;
  const isLeft = Uint8Array.from(trafficClasses, (name) => (left.includes(name) ? 1 : 0));
  const { classes } = dataset.rows;
  const hasNone = (window: Int32Array): boolean => window.every((row) => row < 0 || isLeft[classes[row]!] === 0);
  return {
    ...dataset,
    sequences: dataset.sequences
      .map((sequence) => (sequence.part === 'test' ? sequence : windowsOf(sequence, hasNone)))
      .filter(({ windows }) => windows.length > 0),
  };
}

/** Those that pass, in the order in which they were. */
export function windowsOf(
  sequence: WindowSequence,
  passes: (window: Int32Array, number: number) => boolean,
): WindowSequence {
  const kept = [...sequence.atUs.keys()].filter((number) => passes(windowAt(sequence, number), number));
  if (kept.length === sequence.atUs.length) return sequence;
  const windows = new Int32Array(kept.length * windowLength);
  for (const [at, number] of kept.entries()) windows.set(windowAt(sequence, number), at * windowLength);
  const { passed } = sequence;
  return {
    ...sequence,
    windows,
    ...(passed && { passed: kept.map((number) => passed[number]!) }),
    atUs: Float64Array.from(kept, (number) => sequence.atUs[number]!),
    counts: Uint8Array.from(kept, (number) => sequence.counts[number]!),
  };
}

/**
 * The classes of `--leave-out-class`.
 * @throws {Error} for what is no class of attack, for one of which there is nothing to leave out, and where none would be left
 */
export function classesToLeaveOut(dataset: Dataset, names: readonly string[]): TrafficClass[] {
  const there = trafficClasses.filter((name) => name !== 'benign' && learntFrom(dataset).has(name));
  const left = [...new Set(names)].map((name) => {
    if (name === 'benign')
      throw new Error('--leave-out-class benign: there is nothing to tell attacks from without it');
    const parsed = TrafficClass.safeParse(name);
    const reason = parsed.success ? 'the training and validation parts hold none of it' : 'there is no such class';
    if (!parsed.success || !there.includes(parsed.data)) {
      throw new Error(`--leave-out-class ${name}: ${reason}; to leave out: ${there.join(', ')}`);
    }
    return parsed.data;
  });
  if (left.length > 0 && left.length === there.length) {
    throw new Error(`--leave-out-class ${left.join(', ')}: no attack would be left to learn from`);
  }
  return left;
}

/** Classes that any window of the training and validation parts holds. */
export function learntFrom({ rows, sequences }: Dataset): Set<TrafficClass> {
  const found = new Set<number>();
  for (const { part, windows } of sequences) {
    if (part !== 'test') for (const row of windows) if (row >= 0) found.add(rows.classes[row]!);
  }
  return new Set([...found].map((number) => trafficClasses[number]!));
}
