/** Each part is left out in a training of its own, and a measurement that was interrupted goes on. */
import { expect, test, vi } from 'vitest';
import { ablate } from './ablate.ts';
import { ablationSection } from './card/comparison-sections.ts';
import type { Ablation } from './evaluation/evaluation.ts';
import { smallDataset } from './testing/small-dataset.ts';

test('what was measured is not measured again, unless it was another series', { timeout: 600_000 }, async () => {
  const dataset = smallDataset();
  const effort = { seed: 3, epochs: 1, threads: 1, stepsPerEpoch: 15, only: 'without LSTM' };
  const tables: Ablation[] = [];
  const keep = (table: Ablation): void => void tables.push(structuredClone(table));
  const progress = vi.fn<(line: string) => void>();
  const names = (): unknown => tables.at(-1)?.trainings.map(({ name }) => name);

  await ablate(dataset, effort, undefined, progress, keep);
  expect(names()).toEqual(['without LSTM']);
  const quietRecall = tables[0]!.trainings[0]!.figures['recall while quiet, whatever the threshold']!;
  expect(quietRecall).toBeGreaterThan(0);
  const told = expect.stringContaining(`recall while quiet ${quietRecall.toFixed(4)}`);
  expect(progress.mock.calls.flat()).toContainEqual(told);
  await ablate(dataset, { ...effort, only: 'LSTM' }, tables.at(-1), progress, keep);
  expect(names()).toEqual(['without LSTM', 'LSTM alone']);
  expect(tables[1]!.trainings[0]).toEqual(tables[0]!.trainings[0]);
  expect(progress.mock.calls.flat().filter((line) => line.includes('LSTM'))).toEqual(['without LSTM', 'LSTM alone']);
  expect(ablationSection([tables[1]!], '')).toMatch(/\| figure +\| without LSTM +\| LSTM alone +\|/);

  await ablate(dataset, { ...effort, seed: 4 }, tables.at(-1), progress, keep);
  expect(names()).toEqual(['without LSTM']);
  expect(progress.mock.calls.flat()).toContainEqual(expect.stringContaining('beginning anew'));
  expect(ablationSection([tables[1]!, tables[2]!], '')).toMatch(
    /with seed 3\.[^]*LSTM alone[^]*with seed 4\.[^]*without LSTM/,
  );
});
