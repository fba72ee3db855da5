/** The shipped network on the captures that ship with the agent, extracted by the agent itself. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CaptureLabels } from '../range/labels.ts';
import { evaluationWindows } from './dataset/evaluation-windows.ts';
import { emptyDataset } from './dataset/flow-rows.ts';
import { replayCaptures } from './dataset/replay-captures.ts';
import { scoreWindows } from './network/scorer.ts';

const captures = fileURLToPath(new URL('../../agent/captures/', import.meta.url));
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
  await replayCaptures(own, dataset, () => undefined);
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

test('a minute of honest life raises no alarm', { timeout: 90_000 }, async () => {
  const said = await verdicts('benign.pcap', []);
  expect(said.length).toBeGreaterThan(100);
  expect(said.filter((window) => window.said !== 'benign')).toEqual([]);
});

test(
  'scan, password guessing, flood and slow requests are named three times in a row',
  { timeout: 90_000 },
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
