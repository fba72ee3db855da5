/** A threshold that was chosen by few hours, and is chosen again by packed flows of gateways in peace. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { featureCount } from '@picket/shared/features/feature-schema';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { calibrateAgain, requireUntuned } from './calibrate-again.ts';
import { type FlowPack, encodeFlowPack, nothing } from './dataset/flow-pack.ts';
import { readFlowPacks } from './dataset/read-flow-packs.ts';
import { evaluateModel } from './evaluate-model.ts';
import { smallDataset } from './testing/small-dataset.ts';
import { trainModel } from './train-model.ts';
import type { TrainingRecord } from './training-record.ts';

let folder: string;
let record: TrainingRecord;
const silent = (): void => undefined;
const none = { peace: [], scores: false } as const;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'picket-calibrate-'));
  record = await trainModel(smallDataset(), { seed: 3, epochs: 2, threads: 1, stepsPerEpoch: 15 }, silent);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true }));

const count = 400;
const beganUs = 1_795_247_729_000_000;
const gateway = { name: 'home-life', site: 'home', seed: 7, part: 'test', kind: 'life', view: 'lan' } as const;
const scan = { class: 'port_scan', tool: 'nmap', step: 'nmap -sS', from: '192.0.2.1', to: '192.168.9.2' } as const;

/** A device that tries one port after another and never hears anything: nobody's attack, but it looks like one. */
function knockingDevice(episodes: FlowPack['header']['episodes'] = []): FlowPack {
  const features = Float32Array.from({ length: count * featureCount }, (_, index) => (index % 7) / 2);
  for (let row = 0; row < count; row++) features.set([row, 0, 1, 0, 0], row * featureCount);
  const each = (value: number): number[] => Array.from({ length: count }, () => value);
  const times = Float64Array.from({ length: count }, (_, row) => beganUs + row * 1e6);
  return {
    header: {
      format: 2,
      ...gateway,
      profile: 'fixed',
      lan_prefixes: ['192.168.9.0/24'],
      from_us: beganUs,
      to_us: beganUs + count * 1e6,
      capture_sha256: 'a'.repeat(64),
      rows: count,
      dropped_rows: 0,
      addresses: ['192.168.9.2', '192.0.2.1'],
      episodes: [...episodes],
    },
    features,
    startUs: times,
    lastUs: times,
    flowNumber: Uint32Array.from({ length: count }, (_, row) => row),
    reportNumber: new Uint16Array(count),
    device: new Uint16Array(count),
    otherDevice: Uint16Array.from(each(nothing)),
    peer: Uint16Array.from(each(1)),
    port: Uint16Array.from({ length: count }, (_, row) => row + 1),
    protocol: Uint8Array.from(each(6)),
    episode: Uint16Array.from(each(nothing)),
    direction: Uint8Array.from(each(1)),
  };
}

function packedIn(name: string, pack: FlowPack): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'home.flows'), encodeFlowPack(pack));
  return path;
}

test('what is loud in peace raises the threshold, and is no test any more', { timeout: 600_000 }, async () => {
  const peace = packedIn('peace', knockingDevice());
  const again = await calibrateAgain(smallDataset(), record, { ...none, peace: [peace] }, silent);
  expect(again.threshold).toBeGreaterThan(record.threshold);
  expect(again.threshold_reason).toContain('peace');
  expect(again.parameters).toBe(record.parameters);
  expect(again.data.at(-1)).toMatchObject({ source: 'peace', part: 'peace', groups: ['home'] });
  const twice = await calibrateAgain(smallDataset(), again, { ...none, peace: [peace] }, silent);
  expect(twice).toEqual(again);

  const dataset = smallDataset();
  readFlowPacks(peace, dataset);
  const sourcesBy = async (by: TrainingRecord): Promise<readonly string[]> => {
    const { network } = await evaluateModel(dataset, by, { parts: ['test'], withBaselines: false }, silent);
    return network.sources.map(({ source }) => source);
  };
  expect(await sourcesBy(record)).toEqual(['made', 'peace']);
  expect(await sourcesBy(again)).toEqual(['made']);
});

test(
  'what scores mean is fitted again where that is asked for, as training fitted it',
  { timeout: 600_000 },
  async () => {
    const old = { ...record, temperature: 1, offset: 0 };
    const kept = await calibrateAgain(smallDataset(), old, none, silent);
    expect(kept).toMatchObject({ temperature: 1, offset: 0 });
    const fitted = await calibrateAgain(smallDataset(), old, { ...none, scores: true }, silent);
    expect(fitted).toEqual(record);
  },
);

test('a network that went on with a site is refused: tune chose by it', () => {
  const entry = { windows: 9, seed: 1, share: 0.05, old: 0.5, epochs: 3, steps_per_epoch: 50, learning_rate: 0.0003 };
  const tuned: TrainingRecord = { ...record, tuned_to: [{ source: 'home', is_split: true, ...entry }] };
  expect(() => requireUntuned(tuned)).toThrow(/went on with home.* calibrate the network that it came from/);
  expect(() => requireUntuned(record)).not.toThrow();
});

test('other data, an attack, and what was read before are refused by name', { timeout: 600_000 }, async () => {
  const other = smallDataset();
  other.sequences.pop();
  other.sequences.shift();
  const attacked = packedIn('attacked', {
    ...knockingDevice([{ ...scan, from_us: beganUs, to_us: beganUs + 9e6 }]),
    episode: new Uint16Array(count),
  });
  await expect(calibrateAgain(other, record, none, silent)).rejects.toThrow('not the data that it was trained on');
  await expect(calibrateAgain(smallDataset(), record, { ...none, peace: [attacked] }, silent)).rejects.toThrow(
    /attacked: home-life holds/,
  );
  const made = packedIn('made', knockingDevice());
  await expect(calibrateAgain(smallDataset(), record, { ...none, peace: [made] }, silent)).rejects.toThrow(
    /a source "made" already/,
  );
});
