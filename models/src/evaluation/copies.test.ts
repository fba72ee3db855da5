import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { expect, test } from 'vitest';
import { emptyDataset, slidingWindows } from '../dataset/flow-rows.ts';
import type { Dataset, Part } from '../dataset/flow-rows.ts';
import { classCount } from '../network/network-parameters.ts';
import { copiesOfTraining, copyFigures } from './copies.ts';

/** Column 60 is masked below. */
function add(dataset: Dataset, part: Part, values: readonly (readonly [own: number, masked: number])[]): void {
  const numbers = values.map(([own, masked]) => {
    const row = new Float32Array(featureCount).fill(own);
    row[60] = masked;
    return dataset.rows.add(row, own === 0 ? 'benign' : 'web_xss', '');
  });
  const none = new Float64Array(numbers.length);
  const counts = new Uint8Array(numbers.length);
  const key = { source: 'made', group: part, capture: part, device: part, part };
  dataset.sequences.push({ ...key, windows: slidingWindows(numbers), atUs: none, counts });
}

test('flows that training had are counted, and the figures stand once more without windows of nothing else', () => {
  const dataset = emptyDataset();
  add(dataset, 'train', [
    [0, 1],
    [3, 1],
  ]);
  // Known, known but for what is masked, new, known: the windows of the first two hold nothing new.
  add(dataset, 'test', [
    [3, 1],
    [3, 2],
    [4, 1],
    [0, 1],
  ]);
  const isCopy = copiesOfTraining(dataset, [60]);
  const sequence = dataset.sequences[1]!;
  const probabilities = new Float32Array((sequence.windows.length / windowLength) * classCount);
  // Only the first window is not found.
  probabilities[0] = 1;
  const [figures] = copyFigures(dataset, [{ sequence, probabilities }], 0.5, isCopy);
  expect(figures).toMatchObject({ flows: 4, copied_flows: 3, attack_windows: 4, own_attack_windows: 2 });
  expect(figures).toMatchObject({ recall: 0.75, own_recall: 1, benign_windows: 0, false_alarm_share: 0 });
});

test('what differs in the last digit of one feature is no copy', () => {
  const dataset = emptyDataset();
  const row = Float32Array.from({ length: featureCount }, (_, column) => column + 0.5);
  const known = dataset.rows.add(row, 'benign', '');
  const other = dataset.rows.add(row.with(40, 40.500004), 'benign', '');
  const twin = dataset.rows.add(row, 'benign', '');
  const none = new Float64Array(1);
  const key = { source: 'made', group: 'a', capture: 'a', device: 'a', part: 'train' as const };
  dataset.sequences.push({ ...key, windows: slidingWindows([known]), atUs: none, counts: new Uint8Array(1) });
  const isCopy = copiesOfTraining(dataset, []);
  expect([known, twin, other].map(isCopy)).toEqual([true, true, false]);
});
