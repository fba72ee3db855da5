/** Going on with another network's windows: what was strange there is known afterwards, and the old is not forgotten. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { beforeAll, expect, test } from 'vitest';
import { tuningTable } from './card/tuning-section.ts';
import { heardInPeace } from './data-description.ts';
import { slidingWindows } from './dataset/flow-rows.ts';
import type { Dataset, Part } from './dataset/flow-rows.ts';
import { seededRandom } from './dataset/seeded-random.ts';
import { evaluateModel } from './evaluate-model.ts';
import { smallDataset } from './testing/small-dataset.ts';
import { trainModel } from './train-model.ts';
import type { TrainingRecord } from './training-record.ts';
import { tuneModel } from './tune-model.ts';

const silent = (): void => undefined;
const effort = { seed: 4, threads: 1, learningRate: 0.003, epochs: 2, stepsPerEpoch: 15, old: 0.5, share: 0.3 };

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

  const options = { seed: 4, share: 0.3, old: 0.5, epochs: 2, steps_per_epoch: 15, learning_rate: 0.003 };
  expect(tuned.tuned_to).toEqual([{ source: 'home', windows: 120, is_split: false, ...options }]);
  expect(tuned.seed).toBe(3);
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
  expect(table).toContain('shares no flow with one that was taken, whenever that was reported');
  expect(table).toContain(
    '**home**, 30.0 % of the windows of each class: 120 of 400 (benign 120 of 400); drawn with seed 4.',
  );
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

/** Beside what was trained on: a site with parts of its own, and a run of a scan in each, in the test part a second one. */
function withSplitSite(): Dataset {
  const dataset = smallDataset();
  const random = seededRandom(9);
  const add = (
    part: Part,
    device: string,
    flows: number,
    startsAtUs: number,
    run = -1,
    before: number[] = [],
  ): void => {
    const numbers = Array.from({ length: flows }, (_, index) => {
      const values = Float32Array.from({ length: featureCount }, () => 5 * random());
      values.set([index, run < 0 ? 60_000_000 : 1, 1, 0, 0]);
      const [startUs, lastUs] = [startsAtUs + index * 1e6, startsAtUs + index * 1e6 + 1000];
      const known = { deviceSinceUs: startUs, peerSinceUs: startUs, recentOfDevice: 1, recentOfPeer: 1 };
      const setting = { startUs, lastUs, pair: 1, direction: 0, ...known };
      return dataset.rows.add(values, run < 0 ? 'benign' : 'port_scan', '', run, 0, setting);
    });
    const all = [...before, ...numbers];
    dataset.sequences.push({
      source: 'home',
      group: part,
      capture: `${part} ${device}`,
      device,
      part,
      windows: slidingWindows(all),
      atUs: Float64Array.from(all, (_, index) => startsAtUs + index * 1e6),
      counts: new Uint8Array(all.length).fill(1),
    });
  };
  const addRun = (part: Part, device: string, flows: number, startsAtUs: number, before?: number[]): void => {
    const key = { source: 'home', group: part, capture: `${part} ${device}`, part };
    const run = dataset.episodes.push({ ...key, class: 'port_scan', tool: '', step: '', fromUs: startsAtUs });
    add(part, device, flows, startsAtUs, run - 1, before);
  };
  const [learntAt, checkedAt, testedAt] = [1e12, 2e12, 3e12];
  const firstOfThermostat = dataset.rows.count;
  add('train', 'thermostat', 100, learntAt + 1e9);
  addRun('train', 'camera', 100, learntAt);
  addRun('validation', 'camera', 100, checkedAt);
  add('test', 'thermostat', 100, testedAt + 1e9);
  addRun('test', 'camera', 100, testedAt);
  // Of nine flows after an honest one that was learnt from: each window of the run holds that.
  addRun('test', 'doorbell', 9, testedAt + 2e9, [firstOfThermostat]);
  return dataset;
}

test('of a split site those runs are counted that its test part can show, before and after', async () => {
  const peace = { ...record.data[0]!, source: 'attic', part: heardInPeace, hours_in_peace: 12 };
  const calibrated = { ...record, data: [...record.data, peace] };
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const { record: tuned, tuning } = await tuneModel(
    withSplitSite(),
    calibrated,
    { ...effort, share: 0.6, site: 'home' },
    say,
  );
  expect(tuning.is_split).toBe(true);
  expect(tuningTable(tuning)).toContain('its test part, without windows that share a flow');
  for (const { found } of [tuning.before, tuning.after]) {
    const scans = found.filter((row) => row.class === 'port_scan');
    // The old data's run of the validation part, and the site's of a hundred flows: of the three others two are no test, and one shares a flow.
    expect(scans.map(({ source, part, episodes }) => [part, source, episodes])).toEqual([
      ['validation', 'made', 1],
      ['test', 'home', 1],
    ]);
  }
  expect(tuning.after.found.find(({ source, class: name }) => source === 'home' && name === 'port_scan')).toMatchObject(
    {
      alerted: 1,
      windows: 99,
    },
  );
  expect(tuned.data.map(({ source, part, episodes }) => [source, part, episodes])).toEqual([
    ['made', 'train', 1],
    ['made', 'validation', 1],
    ['home', 'train', 1],
    ['home', 'validation', 0],
  ]);
  // Windows that share flows with those that were learnt from have no say in the threshold: of each class nine of twelve.
  expect(lines).toContainEqual(expect.stringContaining('96 windows to learn from, 6 for the threshold, 200 held out'));
  expect(lines).toContainEqual(expect.stringContaining('12.0 hours in peace of attic'));
  expect(lines).toContainEqual(expect.stringContaining('what scores mean is fitted again'));

  const learntBy = async (dataset: Dataset): Promise<string | undefined> => {
    const told: string[] = [];
    const note = (line: string): void => void told.push(line);
    await evaluateModel(dataset, tuned, { parts: ['validation'], withBaselines: true }, note);
    return told.find((line) => line.startsWith('baselines learn from'));
  };
  expect(await learntBy(withSplitSite())).toBe(await learntBy(smallDataset()));
}, 600_000);

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
