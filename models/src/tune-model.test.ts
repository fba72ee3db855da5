/** Going on with another network's windows: what was strange there is known afterwards, and the old is not forgotten. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { beforeAll, expect, test } from 'vitest';
import { tuningTable } from './card/tuning-section.ts';
import { slidingWindows } from './dataset/flow-rows.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import { seededRandom } from './dataset/seeded-random.ts';
import { evaluateModel } from './evaluate-model.ts';
import { smallDataset } from './testing/small-dataset.ts';
import { trainModel } from './train-model.ts';
import type { TrainingRecord } from './training-record.ts';
import { tuneModel } from './tune-model.ts';

const silent = (): void => undefined;
const effort = { seed: 3, threads: 1, learningRate: 0.003, epochs: 2, stepsPerEpoch: 15, old: 0.5, share: 0.3 };

let record: TrainingRecord;
beforeAll(async () => {
  record = await trainModel(smallDataset(), { seed: 3, epochs: 3, threads: 1, stepsPerEpoch: 15 }, silent);
}, 600_000);

/** Beside what was trained on: two devices whose honest flows look like scans but for their length in time. */
function withSite(isAttacked = false): Dataset {
  const dataset = smallDataset();
  const random = seededRandom(9);
  for (const device of ['thermostat', 'doorbell', ...(isAttacked ? ['camera'] : [])]) {
    const name = device === 'camera' ? 'port_scan' : 'benign';
    const numbers = Array.from({ length: 200 }, (_, index) => {
      const values = Float32Array.from({ length: featureCount }, () => 5 * random());
      values[0] = index;
      values[2] = 1;
      values[4] = 0;
      values[1] = name === 'benign' ? 60_000_000 : 1;
      return dataset.rows.add(values, name, '');
    });
    dataset.sequences.push({
      source: 'home',
      group: device,
      capture: device,
      device,
      part: 'test',
      windows: slidingWindows(numbers),
      atUs: Float64Array.from(numbers, (_, index) => index * 1e6),
      counts: new Uint8Array(numbers.length).fill(1),
    });
  }
  return dataset;
}

test('a site that nobody attacked grows quieter, and scans are still found', { timeout: 600_000 }, async () => {
  const { record: tuned, tuning } = await tuneModel(withSite(), record, { ...effort, site: 'home' }, silent);
  expect(tuning.taken).toEqual([{ class: 'benign', windows: 400, taken: 120 }]);
  const figures = (which: 'before' | 'after', source: string) =>
    tuning[which].sources.find((row) => row.source === source)!;
  expect(tuning.before.sources.map(({ source, part }) => `${part} ${source}`)).toEqual([
    'validation made',
    'test home',
  ]);
  expect(figures('after', 'home').false_alarm_share).toBeLessThan(figures('before', 'home').false_alarm_share / 2);
  expect(figures('after', 'made').pr_auc).toBeGreaterThan(0.9);

  expect(tuned.tuned_to).toEqual([{ source: 'home', windows: 120, is_split: false }]);
  expect([tuned.mean, tuned.scale, tuned.ceiling]).toEqual([record.mean, record.scale, record.ceiling]);
  expect(tuned.data.map(({ source, part }) => `${part} ${source}`)).toEqual([
    'train made',
    'validation made',
    'train home',
    'validation home',
  ]);
  expect(tuned.parameters).not.toBe(record.parameters);
  // The rest of a site without parts is no fresh test: the share was taken from the same stretches.
  const parts = ['test'] as const;
  const { network } = await evaluateModel(withSite(), tuned, { parts, withBaselines: false }, silent);
  expect(network.sources.map(({ source }) => source)).toEqual(['made']);
  const again = await tuneModel(withSite(), record, { ...effort, site: 'home' }, silent);
  expect(again.record.parameters).toBe(tuned.parameters);

  const table = tuningTable(tuning);
  expect(table).toContain('**home**, 30.0 % of the windows of each class: 120 of 400 (benign 120 of 400); seed 3.');
  expect(table).toMatch(/\| test \| home \| before \|/);
  expect(table).not.toMatch(/undefined|NaN|\[object/);
});

test('a site with attacks of its own learns from those', { timeout: 600_000 }, async () => {
  const short = { ...effort, epochs: 1, stepsPerEpoch: 4, site: 'home' };
  const { tuning } = await tuneModel(withSite(true), record, short, silent);
  expect(tuning.taken.map((row) => [row.class, row.taken])).toEqual([
    ['benign', 120],
    ['port_scan', 60],
  ]);
});

test('other data, a site that is not there and one that is known already are refused by name', async () => {
  const other = withSite();
  other.sequences.shift();
  const tune = async (dataset: Dataset, site: string): Promise<unknown> =>
    await tuneModel(dataset, record, { ...effort, site }, silent);
  await expect(tune(other, 'home')).rejects.toThrow('not the data that it was trained on');
  await expect(tune(withSite(), 'away')).rejects.toThrow('no source "away"');
  await expect(tune(withSite(), 'made')).rejects.toThrow('--site made: the network was trained on it');
});

test('a network that was kept from a class is not gone on with: the site may hold it', async () => {
  const kept: TrainingRecord = { ...record, left_out_classes: ['port_scan'] };
  await expect(tuneModel(withSite(true), kept, { ...effort, site: 'home' }, silent)).rejects.toThrow(
    /kept from port_scan.* all classes/,
  );
});
