/** What a tuned network is measured on, what stands beside it, and what counts as a copy: nothing of its sites in its favour. */
import { expect, test } from 'vitest';
import type { Dataset } from '../dataset/flow-rows.ts';
import { smallDataset } from '../testing/small-dataset.ts';
import type { TrainingRecord } from '../training-record.ts';
import { possiblyLearnt, withoutKnown, withoutSites } from './known-data.ts';

const options = { windows: 9, seed: 1, share: 0.05, old: 0.5, epochs: 3, steps_per_epoch: 50, learning_rate: 0.0003 };
const record: Pick<TrainingRecord, 'data' | 'tuned_to' | 'left_out_classes'> = {
  data: [],
  left_out_classes: [],
  tuned_to: [
    { source: 'split', is_split: true, ...options },
    { source: 'whole', is_split: false, ...options },
  ],
};

/** What was trained on, and two sites with the same parts. */
function withSites(): Dataset {
  const dataset = smallDataset();
  const sources = ['made', 'split', 'whole'];
  return {
    ...dataset,
    sequences: sources.flatMap((source) => dataset.sequences.map((one) => ({ ...one, source }))),
    listenings: sources.flatMap((source) => dataset.listenings.map((one) => ({ ...one, source }))),
  };
}

function partsOf(list: readonly { readonly source: string; readonly part: string }[]): string[] {
  return [...new Set(list.map(({ source, part }) => `${source} ${part}`))];
}

const partsOfMade = ['made train', 'made validation', 'made test'];

test('of a site without a test part of its own nothing is measured, whatever part it is said to be', () => {
  const { sequences, listenings } = withoutKnown(withSites(), record);
  const measured = [...partsOfMade, 'split train', 'split validation', 'split test'];
  expect(partsOf(sequences)).toEqual(measured);
  expect(partsOf(listenings)).toEqual(measured);
});

test('a type that a site was taught is no test elsewhere; what lies in no folder of a type is one', () => {
  const taught = { part: 'train', windows: 9, attacked_groups: 0, episodes: 0, tools: [], hours_in_peace: 1 };
  const home = { ...record, data: [{ ...taught, source: 'whole', groups: ['benign', 'Plug'] }] };
  const [one] = smallDataset().sequences;
  const later = (group: string): Dataset => ({
    ...smallDataset(),
    sequences: [{ ...one!, source: 'later', group, part: 'test' }],
  });
  expect(withoutKnown(later('benign'), home).sequences).toHaveLength(1);
  expect(withoutKnown(later('Bulb'), home).sequences).toHaveLength(1);
  expect(withoutKnown(later('Plug'), home).sequences).toHaveLength(0);
});

test('baselines have nothing of any site', () => {
  const { sequences, listenings } = withoutSites(withSites(), record);
  expect(partsOf(sequences)).toEqual(partsOfMade);
  expect(partsOf(listenings)).toEqual(partsOfMade);
});

test('copies are looked for in all that a share could be taken from', () => {
  const { sequences } = possiblyLearnt(withSites(), record);
  expect(partsOf(sequences)).toEqual([...partsOfMade, 'split train', 'split validation', 'split test', 'whole train']);
});
