/**
 * Flows to test on that training had with the very same features: a knock at a closed port is like any other. They are
 * counted, and the figures stand once more without the windows that are made of nothing else.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import type { Dataset, FlowRows } from '../dataset/flow-rows.ts';
import { windowAt } from '../dataset/evaluation-windows.ts';
import { labelWindow } from '../dataset/label-window.ts';
import { presentFlows } from '../dataset/window-mixes.ts';
import { classCount } from '../network/network-parameters.ts';
import type { ScoredSequence } from './alarms.ts';
import type { CopyFigures } from './evaluation.ts';

/** Does a row look exactly like one that training had, in all that the network looks at? */
export function copiesOfTraining({ rows, sequences }: Dataset, masked: readonly number[]): (row: number) => boolean {
  const seen = Array.from({ length: featureCount }, (_, column) => column).filter((column) => !masked.includes(column));
  const known = new Set<number>();
  for (const { part, windows } of sequences) {
    if (part === 'train') for (const row of windows) if (row >= 0) known.add(digest(rows, row, seen));
  }
  return (row) => known.has(digest(rows, row, seen));
}

export function copyFigures(
  { rows }: Dataset,
  scored: readonly ScoredSequence[],
  threshold: number,
  isCopy: (row: number) => boolean,
): CopyFigures[] {
  return [...Map.groupBy(scored, ({ sequence }) => sequence.source)].map(([source, members]) => {
    const flows = new Set(members.flatMap(({ sequence }) => [...new Set(sequence.windows.filter((row) => row >= 0))]));
    const copied = new Set([...flows].filter(isCopy));
    const all = { attacks: tally(), benign: tally() };
    const own = { attacks: tally(), benign: tally() };
    for (const { sequence, probabilities } of members) {
      for (let number = 0; number < sequence.windows.length / windowLength; number++) {
        const window = windowAt(sequence, number);
        const label = labelWindow(rows, window);
        if (label === undefined) continue;
        const isLoud = 1 - probabilities[number * classCount]! >= threshold;
        const kind = label === 0 ? 'benign' : 'attacks';
        all[kind].add(isLoud);
        if (!presentFlows(window).every((row) => copied.has(row))) own[kind].add(isLoud);
      }
    }
    return {
      source,
      flows: flows.size,
      copied_flows: copied.size,
      attack_windows: all.attacks.count,
      own_attack_windows: own.attacks.count,
      recall: all.attacks.share(),
      own_recall: own.attacks.share(),
      benign_windows: all.benign.count,
      own_benign_windows: own.benign.count,
      false_alarm_share: all.benign.share(),
      own_false_alarm_share: own.benign.share(),
    };
  });
}

interface Tally {
  readonly count: number;
  readonly add: (isLoud: boolean) => void;
  readonly share: () => number;
}

function tally(): Tally {
  let [count, loud] = [0, 0];
  return {
    get count() {
      return count;
    },
    add: (isLoud) => {
      count += 1;
      if (isLoud) loud += 1;
    },
    share: () => (count === 0 ? 0 : loud / count),
  };
}

const bits = new DataView(new ArrayBuffer(4));

/** 53 bits over the values of a row, by two hashes of 32: of a million rows none is taken for another by chance. */
function digest(rows: FlowRows, row: number, columns: readonly number[]): number {
  let [high, low] = [0x811c9dc5, 0x9e3779b9];
  for (const column of columns) {
    bits.setFloat32(0, rows.features[row * featureCount + column]!);
    const value = bits.getUint32(0);
    high = Math.imul(high ^ value, 0x01000193) ^ (high >>> 15);
    low = Math.imul(low ^ value, 0x85ebca6b) ^ (low >>> 13);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
