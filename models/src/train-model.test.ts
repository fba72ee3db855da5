/** A whole small training, on flows that are told apart by their packets: what it learns, and that it can be resumed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildBundle } from './build-model.ts';
import { evaluateModel } from './evaluate-model.ts';
import { noExtras } from './card/card-extras.ts';
import { writeModelCard } from './model-card.ts';
import { smallDataset } from './testing/small-dataset.ts';
import { trainModel } from './train-model.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-train-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a training that was interrupted goes on as if it had not been', { timeout: 600_000 }, async () => {
  const options = { seed: 3, epochs: 3, threads: 1, stepsPerEpoch: 15 };
  const whole = await trainModel(smallDataset(), options, () => undefined);

  class Interrupted extends Error {}
  const interrupted = trainModel(smallDataset(), { ...options, checkpoint: folder }, (line) => {
    if (line.startsWith('epoch 3')) throw new Interrupted();
  });
  await expect(interrupted).rejects.toThrow(Interrupted);
  const lines: string[] = [];
  const other = trainModel(smallDataset(), { ...options, seed: 4, checkpoint: folder }, (line) => {
    lines.push(line);
    throw new Interrupted();
  });
  await expect(other).rejects.toThrow(Interrupted);
  expect(lines.splice(0)).toEqual([expect.stringContaining('another seed, recipe or number of epochs')]);
  const resumed = await trainModel(smallDataset(), { ...options, checkpoint: folder }, (line) => void lines.push(line));
  expect(lines[0]).toMatch(/going on after epoch 2/);
  expect(resumed.epochs).toEqual(whole.epochs);
  expect(resumed.parameters).toBe(whole.parameters);

  const evaluation = await evaluateModel(
    smallDataset(),
    whole,
    { parts: ['validation', 'test'], withBaselines: false },
    () => undefined,
  );
  const figures = evaluation.network.sources.find(({ part }) => part === 'test')!;
  expect(figures.pr_auc).toBeGreaterThan(0.9);
  const card = writeModelCard('test-1', whole, evaluation, noExtras);
  expect(card).toContain('port_scan');
  expect(card).not.toMatch(/undefined|NaN|\[object/);

  const bundle = join(folder, 'bundle');
  buildBundle(whole, evaluation, noExtras, { folder: bundle, version: 'test-1', createdAt: new Date(0) });
  const manifest = ModelManifest.parse(JSON.parse(readFileSync(join(bundle, 'manifest.json'), 'utf8')));
  expect(manifest.calibration).toEqual({ temperature: whole.temperature, offset: whole.offset });
});
