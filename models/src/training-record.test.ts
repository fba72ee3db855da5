/** What was written before there was an offset reads as it did. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { featureCount } from '@picket/shared/features/feature-schema';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import { expect, onTestFinished, test } from 'vitest';
import { wholeDesign } from './network/cnn-lstm.ts';
import { parameterCount } from './network/network-parameters.ts';
import { networkOf, pack, readTrainingRecord } from './training-record.ts';

test('a record without an offset has none to add', () => {
  const folder = mkdtempSync(join(tmpdir(), 'picket-record-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const record = {
    seed: 1,
    data: [],
    data_fingerprint: '',
    epochs: [],
    best_epoch: 1,
    threshold: 0.9,
    threshold_reason: 'chosen by hand',
    temperature: 0.96,
    masked_features: [],
    design: wholeDesign,
    mean: pack(new Float32Array(featureCount)),
    scale: pack(new Float32Array(featureCount)),
    ceiling: pack(new Float32Array(featureCount)),
    parameters: pack(new Float32Array(parameterCount)),
  };
  writeFileSync(join(folder, 'training.json'), JSON.stringify(record));
  expect(networkOf(readTrainingRecord(folder)).calibration).toEqual({ temperature: 0.96, offset: 0 });
});

const bundles = join(import.meta.dirname, '..', 'bundles');

test('nor has a manifest that names none', () => {
  const [version = 'none'] = readdirSync(bundles);
  const written: unknown = JSON.parse(readFileSync(join(bundles, version, 'manifest.json'), 'utf8'));
  const { calibration, ...rest } = ModelManifest.parse(written);
  const before = ModelManifest.parse({ ...rest, calibration: { temperature: calibration?.temperature } });
  expect(before.calibration?.offset).toBe(0);
});
