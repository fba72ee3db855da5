/** The card's table of networks that went on with a share of a site's labelled windows: what it brought, what it cost. */
import type { FoundClass, SourceFigures, Tuning } from '../evaluation/evaluation.ts';
import { percent, ratio, table } from './table.ts';

export function tuningSection(tunings: readonly Tuning[]): string {
  if (tunings.length === 0) return '';
  return `## Going on with a site's own windows

A small share of the labelled windows of a network that training never met, a few epochs, old data beside them (\`models -- tune\`). Tested is what it
took nothing of, and of runs those that this shows and nothing was taken of; the rows of validation parts say what it forgot. Each has a threshold of its own by the same rule; which network went on is told by the one before: of a site that this network was trained on, the one that was kept from it. Between brackets: 95 % of 200 resamplings of whole stretches.

${tunings.map(tuningTable).join('\n\n')}`;
}

export function tuningTable(tuning: Tuning): string {
  const { site, share, seed, taken, is_split: isSplit, before, after } = tuning;
  const rows = before.sources.flatMap((row) => {
    const isSame = (other: { readonly source: string; readonly part: string }): boolean =>
      other.source === row.source && other.part === row.part;
    const line = (name: string, { sources, threshold, found }: Tuning['before']): (string | number)[] => {
      const figures = sources.find(isSame)!;
      return [row.part, row.source, name, threshold.toFixed(5), ...cellsOf(figures, found.filter(isSame))];
    };
    return [line('before', before), line('after', after)];
  });
  const total = taken.reduce((sum, row) => sum + row.windows, 0);
  const all = taken.reduce((sum, row) => sum + row.taken, 0);
  const classes = taken.map((row) => `${row.class} ${row.taken} of ${row.windows}`).join(', ');
  return `**${site}**, ${percent(share, 1)} of the windows of each class: ${all} of ${total} (${classes}); drawn with seed ${seed}. ${
    isSplit
      ? 'Taken from its training part; held out is its test part, without windows that share a flow with what was taken.'
      : 'It has no parts of its own: held out is every window that shares no flow with one that was taken, whenever that was reported, of the same stretches too.'
  }

${table(
  [
    'part',
    'source',
    'network',
    'threshold',
    'benign windows at the threshold',
    'PR-AUC, three quarters benign',
    'macro-F1',
    'attack windows at the threshold',
    'runs alerted',
  ],
  rows,
)}`;
}

function cellsOf(figures: SourceFigures, found: readonly FoundClass[]): string[] {
  const attacks = found.filter(({ class: name }) => name !== 'benign');
  const sum = (value: (row: FoundClass) => number): number => attacks.reduce((total, row) => total + value(row), 0);
  const { benign_windows: benign, false_alarm_share: alarms, false_alarm_interval: alarmInterval } = figures;
  const hasAttacks = attacks.length > 0 && benign > 0;
  return [
    benign === 0 ? '–' : `${percent(alarms, 3)} of ${benign}${between(alarmInterval, (value) => percent(value, 3))}`,
    hasAttacks
      ? `${figures.pr_auc_mostly_benign.toFixed(4)}${between(figures.pr_auc_interval, (value) => value.toFixed(4))}`
      : '–',
    hasAttacks ? figures.macro_f1.toFixed(3) : '–',
    ratio(
      sum((row) => row.loud_windows),
      sum((row) => row.windows),
    ),
    ratio(
      sum((row) => row.alerted),
      sum((row) => row.episodes),
    ),
  ];
}

function between(interval: readonly [number, number] | undefined, text: (value: number) => string): string {
  return interval === undefined ? '' : ` (${text(interval[0])} to ${text(interval[1])})`;
}
