/** A class that training never had: nothing of it is learnt, and what became of it is told beside what was known. */
import { afterEach, expect, test, vi } from 'vitest';
import { noExtras } from './card/card-extras.ts';
import { evaluateModel } from './evaluate-model.ts';
import type { UnknownClasses } from './evaluation/evaluation.ts';
import { writeModelCard } from './model-card.ts';
import { smallDataset } from './testing/small-dataset.ts';
import { trainModel } from './train-model.ts';
import { measureUnknown } from './unknown-classes.ts';

const effort = { seed: 3, epochs: 2, threads: 1, stepsPerEpoch: 10 };
const silent = vi.fn<(line: string) => void>();
afterEach(() => silent.mockClear());

test('a training that is kept from a class says so, and so does its card', { timeout: 600_000 }, async () => {
  const dataset = smallDataset({ floods: true });
  const record = await trainModel(dataset, { ...effort, leftOutClasses: ['ddos_flood'] }, silent);
  expect(record.left_out_classes).toEqual(['ddos_flood']);
  expect(record.data.map(({ part, tools }) => [part, tools])).toEqual([
    ['train', ['port_scan']],
    ['validation', ['port_scan']],
  ]);
  const scansAlone = await trainModel(smallDataset(), effort, silent);
  expect(record.epochs).toEqual(scansAlone.epochs);
  expect(record.parameters).toBe(scansAlone.parameters);

  const parts = ['validation', 'test'] as const;
  const evaluation = await evaluateModel(dataset, record, { parts, withBaselines: false }, silent);
  const floods = evaluation.found_classes!.filter(({ class: name }) => name === 'ddos_flood');
  expect(floods.map(({ part, episodes, windows }) => [part, episodes, windows])).toEqual([
    ['validation', 1, 120],
    ['test', 1, 120],
  ]);
  const names = floods.flatMap((row) => Object.keys(row.windows_named_as));
  expect(names).not.toContain('benign');
  const card = writeModelCard('test-1', record, evaluation, noExtras);
  expect(card).toContain('Training, early stopping, temperature and threshold were kept from ddos_flood');
  expect(card).toMatch(/\| validation \| made \| ddos_flood \| no \| [01] of 1 \(.*\) \| .* of 120 \(/);
  expect(card).toMatch(/\| validation \| made \| port_scan \| yes \|/);
  expect(card).not.toContain('no class was kept from training');
});

test(
  'each class is left out in turn, and a measurement that was interrupted goes on',
  { timeout: 600_000 },
  async () => {
    const dataset = smallDataset({ floods: true });
    const tables: UnknownClasses[] = [];
    const keep = (table: UnknownClasses): void => void tables.push(structuredClone(table));
    await measureUnknown(dataset, { ...effort, only: 'ddos_flood' }, undefined, silent, keep);
    const leftOut = (table: UnknownClasses | undefined): unknown => table?.trainings.map(({ left_out: left }) => left);
    expect(tables.map(leftOut)).toEqual([[null], [null, 'ddos_flood']]);

    await measureUnknown(dataset, effort, tables.at(-1), silent, keep);
    expect(tables.map(leftOut).slice(2)).toEqual([[null, 'ddos_flood', 'port_scan']]);
    expect(tables[2]!.trainings.slice(0, 2)).toEqual(tables[1]!.trainings);
    expect(silent.mock.calls.flat().filter((line) => line.startsWith('with'))).toEqual([
      'with all classes',
      'without ddos_flood',
      'without port_scan',
    ]);

    const other = { ...effort, seed: 4, only: 'port_scan' };
    await measureUnknown(dataset, other, tables[2], silent, keep);
    expect(leftOut(tables.at(-1))).toEqual([null, 'port_scan']);
    const beginnings = (): number => silent.mock.calls.filter(([line]) => line.includes('beginning anew')).length;
    expect(beginnings()).toBe(1);
    await measureUnknown(dataset, { ...other, stepsPerEpoch: 5 }, tables.at(-1), silent, keep);
    expect(beginnings()).toBe(2);
    await expect(measureUnknown(dataset, { ...effort, only: 'benign' }, undefined, silent, keep)).rejects.toThrow(
      '--leave-out-class benign',
    );
  },
);
