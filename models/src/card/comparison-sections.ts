/** The card's tables that set the network beside others: baselines, other seeds, itself with parts left out. */
import type { Figures, SeriesKey } from '../evaluation/evaluation.ts';
import { summaryOf } from '../evaluation/summary.ts';
import type { CardExtras } from './card-extras.ts';
import { table } from './table.ts';

/** `sites` are those that only the network went on with: the others know nothing of them. */
export function baselineSection(figures: readonly Figures[], sites: readonly string[]): string {
  if (figures.length < 2) return '';
  const summaries = figures.map(summaryOf);
  return `## Beside it

The same figures, each with a threshold of its own chosen on the same validation data by the same rule${sites.length === 0 ? '' : `, but that the network alone went on with ${sites.join(', ')}`}.

${matrix(
  'figure',
  figures.map(({ name }) => name),
  summaries,
)}`;
}

export function seedSection(seeds: CardExtras['seeds']): string {
  const first = seeds[0];
  if (first === undefined) return '';
  const rows = Object.keys(first).map((name) => {
    const values = seeds.flatMap((seed) => seed[name] ?? []);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [name, number(mean), number(Math.min(...values)), number(Math.max(...values))];
  });
  return `## Seeds

The same training with ${seeds.length} seeds.

${table(['figure', 'mean', 'least', 'most'], rows)}`;
}

/** Said of a series whose trainings did not have what the card's network was trained on. */
export function otherData({ data_fingerprint: had }: Pick<SeriesKey, 'data_fingerprint'>, trainedOn: string): string {
  return had === trainedOn ? '' : ' None of them had the same data as this network: compare them with one another.';
}

export function ablationSection(ablations: CardExtras['ablations'], trainedOn: string): string {
  if (ablations.length === 0) return '';
  const series = ablations.map(
    ({ epochs, seed, trainings, ...key }) =>
      `Trainings of at most ${epochs} epochs with seed ${seed}.${otherData(key, trainedOn)}

${matrix(
  'figure',
  trainings.map(({ name }) => name),
  trainings.map(({ figures }) => figures),
)}`,
  );
  return `## Does each part earn its place?

Trainings equal but for what is named, measured on validation data. Each has a threshold of its own, and one device can move that: what does not hang by it is recall while quiet (what early stopping looks
at) and PR-AUC.

${series.join('\n\n')}`;
}

function matrix(
  corner: string,
  names: readonly string[],
  columns: readonly Readonly<Record<string, number>>[],
): string {
  const figures = [...new Set(columns.flatMap((column) => Object.keys(column)))];
  return table(
    [corner, ...names],
    figures.map((figure) => [figure, ...columns.map((column) => number(column[figure]))]),
  );
}

function number(value: number | undefined): string {
  if (value === undefined) return '–';
  return Number.isInteger(value) ? String(value) : value.toFixed(4);
}
