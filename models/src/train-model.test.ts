/** A whole small training, on flows that are told apart by their packets: what it learns, and that it can be resumed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { featureCount } from '@picket/shared/features/feature-schema';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyDataset, slidingWindows } from './dataset/flow-rows.ts';
import type { Dataset, Part } from './dataset/flow-rows.ts';
import { seededRandom } from './dataset/seeded-random.ts';
import { evaluateModel } from './evaluate-model.ts';
import { noExtras, writeModelCard } from './model-card.ts';
import { trainModel } from './train-model.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-train-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Scans are short flows to many ports; benign flows are longer and go to one. */
function dataset(): Dataset {
  const made = emptyDataset();
  const random = seededRandom(5);
  const stretch = (part: Part, trafficClass: 'benign' | 'port_scan', device: string): void => {
    const numbers = Array.from({ length: 120 }, (_, index) => {
      const values = Float32Array.from({ length: featureCount }, () => 5 * random());
      const isScan = trafficClass === 'port_scan';
      values[0] = isScan ? index : 443;
      values[2] = isScan ? 1 : 8 + 4 * random();
      values[4] = isScan ? 0 : 900 * random();
      return made.rows.add(values, trafficClass, trafficClass);
    });
    made.sequences.push({
      source: 'made',
      group: part,
      capture: `${part} ${device}`,
      device,
      part,
      windows: slidingWindows(numbers),
      atUs: Float64Array.from(numbers, (_, index) => index * 1e6),
      counts: Uint8Array.from(numbers, (_, index) => (index % 5 === 4 ? 1 : 0)),
    });
    const isAttacked = trafficClass === 'port_scan';
    const key = { source: 'made', group: part, capture: `${part} ${device}`, part, view: 'lan' as const };
    made.listenings.push({ ...key, seconds: 120, flows: 120, isAttacked });
  };
  for (const part of ['train', 'validation', 'test'] as const) {
    stretch(part, 'benign', 'sensor');
    stretch(part, 'port_scan', 'victim');
  }
  return made;
}

test('a training that was interrupted goes on as if it had not been', { timeout: 600_000 }, async () => {
  const options = { seed: 3, epochs: 3, threads: 1, stepsPerEpoch: 15 };
  const whole = await trainModel(dataset(), options, () => undefined);

  class Interrupted extends Error {}
  const interrupted = trainModel(dataset(), { ...options, checkpoint: folder }, (line) => {
    if (line.startsWith('epoch 3')) throw new Interrupted();
  });
  await expect(interrupted).rejects.toThrow(Interrupted);
  const lines: string[] = [];
  const resumed = await trainModel(dataset(), { ...options, checkpoint: folder }, (line) => void lines.push(line));
  expect(lines[0]).toMatch(/going on after epoch 2/);
  expect(resumed.epochs).toEqual(whole.epochs);
  expect(resumed.parameters).toBe(whole.parameters);

  const evaluation = await evaluateModel(
    dataset(),
    whole,
    { parts: ['validation', 'test'], withBaselines: false },
    () => undefined,
  );
  const figures = evaluation.network.sources.find(({ part }) => part === 'test')!;
  expect(figures.pr_auc).toBeGreaterThan(0.9);
  const card = writeModelCard('test-1', whole, evaluation, noExtras);
  expect(card).toContain('port_scan');
  expect(card).not.toMatch(/undefined|NaN|\[object/);
});
