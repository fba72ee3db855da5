/** What ships is what its records build, so that anyone can look at them, go on from them, or build it again. */
import { globSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import { expect, onTestFinished, test } from 'vitest';
import { buildBundle } from './build-model.ts';
import { noExtras } from './card/card-extras.ts';
import { readEvaluation } from './evaluation/read-evaluation.ts';
import { readTrainingRecord } from './training-record.ts';

const models = join(import.meta.dirname, '..');

test.each(readdirSync(join(models, 'bundles')))('%s is what its records build', (version) => {
  const shipped = join(models, 'bundles', version);
  const { seed } = JSON.parse(readFileSync(join(shipped, 'training-manifest.json'), 'utf8')) as { seed: number };
  const records = join(models, 'records', version, `seed-${seed}`);
  const built = mkdtempSync(join(tmpdir(), 'picket-built-'));
  onTestFinished(() => rmSync(built, { recursive: true }));
  const manifestOf = (folder: string): ModelManifest =>
    ModelManifest.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  const createdAt = new Date(manifestOf(shipped).created_at);
  buildBundle(readTrainingRecord(records), readEvaluation(records), noExtras, { folder: built, version, createdAt });

  // the card has more to tell of, and its words may get better
  const withoutCard = ({ files: { 'model-card.md': _card, ...files }, ...rest }: ModelManifest): unknown => ({
    ...rest,
    files,
  });
  expect(withoutCard(manifestOf(built))).toEqual(withoutCard(manifestOf(shipped)));
});

const evaluated = globSync('records/*/*/evaluation.json', { cwd: models }).map(dirname);

test('records are there', () => {
  expect(evaluated.length).toBeGreaterThan(0);
});

test.each(evaluated)('what was measured of %s was measured of it as it is', (folder) => {
  const record = readTrainingRecord(join(models, folder));
  const evaluation = readEvaluation(join(models, folder));
  expect(evaluation.network.threshold).toBe(record.threshold);
});
