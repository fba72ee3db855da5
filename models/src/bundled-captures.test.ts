/** The shipped network on the captures that ship with the agent, extracted by the agent itself. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CaptureLabels } from '../range/labels.ts';
import { evaluationWindows, sequenceWindows } from './dataset/evaluation-windows.ts';
import { emptyDataset } from './dataset/flow-rows.ts';
import { splitForTraining, usualSplit } from './dataset/capture-split.ts';
import { replayCaptures } from './dataset/replay-captures.ts';
import { scoreWindows } from './network/scorer.ts';

const captures = fileURLToPath(new URL('../../agent/captures/', import.meta.url));
const agent = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const bundles = fileURLToPath(new URL('../bundles/', import.meta.url));
const [bundle] = readdirSync(bundles);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-bundled-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the agent would say of each window in turn: true class and said class; faint attacks are left out. */
async function verdicts(
  capture: string,
  rules: CaptureLabels['rules'],
): Promise<{ is: TrafficClass; said: TrafficClass }[]> {
  const demo = CaptureLabels.parse(JSON.parse(readFileSync(join(captures, 'demo.labels.json'), 'utf8')));
  const own = mkdtempSync(join(folder, 'one-'));
  cpSync(join(captures, capture), join(own, capture));
  writeFileSync(join(own, capture.replace('.pcap', '.labels.json')), JSON.stringify({ ...demo, rules }));
  const dataset = emptyDataset();
  await replayCaptures(own, splitForTraining(usualSplit), dataset, () => undefined);
  const windows = evaluationWindows(dataset, 'test');
  const manifest = ModelManifest.parse(JSON.parse(readFileSync(join(bundles, bundle!, 'manifest.json'), 'utf8')));
  const probabilities = await scoreWindows(readFileSync(join(bundles, bundle!, 'detect.onnx')), windows);
  return Array.from(windows.labels, (label, index) => {
    const row = probabilities.subarray(index * trafficClasses.length, (index + 1) * trafficClasses.length);
    const attacks = row.subarray(1);
    const said = 1 - row[0]! < manifest.threshold ? 0 : 1 + attacks.indexOf(Math.max(...attacks));
    return { is: trafficClasses[label]!, said: trafficClasses[said]! };
  });
}

interface Spoken {
  readonly type: string;
  readonly device: { readonly address: string };
  readonly score: number;
}

/** The scores that the agent itself gives each device, in turn. */
function replayed(capture: string): Map<string, number[]> {
  const argv = ['--conditions=@picket/source', agent, 'replay', capture, '--json', '--no-progress'];
  const output = execFileSync(process.execPath, argv, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const spoken = output
    .split('\n')
    .filter((line) => line.startsWith('{"type":"prediction"'))
    .map((line) => JSON.parse(line) as Spoken); // of our own agent
  const byDevice = Map.groupBy(spoken, ({ device }) => device.address);
  return new Map([...byDevice].map(([device, lines]) => [device, lines.map(({ score }) => score)]));
}

/** The length of the longest sequence that both hold, in this order, other scores in between. */
function inCommon(cut: readonly number[], scored: readonly number[]): number {
  let lengths = [0, ...scored.map(() => 0)];
  for (const one of cut) {
    const before = lengths;
    lengths = [0];
    for (const [at, other] of scored.entries()) {
      const isSame = Math.abs(one - other) < 1e-4;
      lengths.push(isSame ? before[at]! + 1 : Math.max(before[at + 1]!, lengths[at]!));
    }
  }
  return lengths.at(-1)!;
}

test('a gateway scores the windows that training cuts, in the same context', { timeout: 300_000 }, async () => {
  const capture = join(captures, 'benign.pcap');
  const dataset = emptyDataset();
  const own = mkdtempSync(join(folder, 'benign-'));
  cpSync(capture, join(own, 'benign', 'benign.pcap'));
  await replayCaptures(own, splitForTraining(usualSplit), dataset, () => undefined);
  const live = replayed(capture);
  expect([...live.keys()].sort()).toEqual(dataset.sequences.map(({ device }) => device).sort());
  let found = 0;
  let windows = 0;
  for (const sequence of dataset.sequences) {
    const detect = readFileSync(join(bundles, bundle!, 'detect.onnx'));
    const probabilities = await scoreWindows(detect, sequenceWindows(dataset.rows, sequence));
    const cut = Array.from(sequence.counts, (_, window) => 1 - probabilities[window * trafficClasses.length]!);
    windows += cut.length;
    found += inCommon(cut, live.get(sequence.device)!);
  }
  expect(windows).toBeGreaterThan(100);
  // A gateway's clock also moves by packets that change no window, so now and then it scores one more in between.
  expect(found / windows).toBeGreaterThan(0.9);
});

test('a minute of honest life raises no alarm', { timeout: 300_000 }, async () => {
  const said = await verdicts('benign.pcap', []);
  expect(said.length).toBeGreaterThan(100);
  expect(said.filter((window) => window.said !== 'benign')).toEqual([]);
});

test(
  'scan, password guessing, flood and slow requests are named three times in a row',
  { timeout: 300_000 },
  async () => {
    const labels = CaptureLabels.parse(JSON.parse(readFileSync(join(captures, 'demo.labels.json'), 'utf8')));
    const said = await verdicts('demo.pcap', labels.rules);
    for (const wanted of ['port_scan', 'brute_force_ssh', 'ddos_flood', 'slow_rate'] as const) {
      const run = said.filter(({ is }) => is === wanted).map((window) => (window.said === wanted ? 'x' : '.'));
      // Named three times in a row within the first eight windows that hold enough of it.
      expect(`${wanted} ${run.slice(0, 8).join('')}`).toMatch(/xxx/);
    }
  },
);
