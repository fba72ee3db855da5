/** The card's tables of classes that training was kept from: what becomes of an attack of a kind that nobody has met. */
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { FoundClass, UnknownClasses } from '../evaluation/evaluation.ts';
import { otherData } from './comparison-sections.ts';
import { percent, ratio, table } from './table.ts';

const mostNames = 3;

/** Of one training: every class, those that it was kept from first. */
export function leftOutSection(leftOut: readonly TrafficClass[], found: readonly FoundClass[]): string {
  if (leftOut.length === 0) return '';
  const isLeft = ({ class: name }: FoundClass): boolean => leftOut.some((left) => left === name);
  const attacks = found.filter(({ class: name }) => name !== 'benign');
  const rows = [...weakFirst(attacks.filter(isLeft)), ...weakFirst(attacks.filter((row) => !isLeft(row)))];
  return `## Classes that it never met

Training, early stopping, temperature and threshold were kept from ${leftOut.join(', ')}. Alerted is whatever it was taken for.

${table(
  ['part', 'source', 'class', 'met in training', 'runs alerted', 'named', 'windows at the threshold', 'named'],
  rows.map((row) => [
    row.part,
    row.source,
    row.class,
    isLeft(row) ? 'no' : 'yes',
    ratio(row.alerted, row.episodes),
    names(row.named_as),
    ratio(row.loud_windows, row.windows),
    names(row.windows_named_as),
  ]),
)}`;
}

/** Each class as a training finds it that was kept from it, beside one that was not. `trainedOn`: what the card's network was. */
export function unknownSection(unknown: UnknownClasses | null, trainedOn: string): string {
  const whole = unknown?.trainings.find(({ left_out: left }) => left === null);
  if (unknown === null || whole === undefined) return '';
  const sameIn = (found: readonly FoundClass[], like: FoundClass): FoundClass | undefined =>
    found.find((row) => row.source === like.source && row.part === like.part && row.class === like.class);
  const rows = unknown.trainings.flatMap(({ left_out: left, found }) =>
    found.filter(({ class: name }) => name === left),
  );
  const trainings = unknown.trainings.map(({ left_out: left, threshold, found }) => {
    const benign = found.filter(({ class: name }) => name === 'benign');
    const alarms = benign.map((row) => `${row.part} ${row.source} ${share(row, 3)}`);
    return [left ?? 'nothing', threshold.toFixed(5), alarms.join(', ')];
  });
  return `## Attacks of a kind that it never met

One short training for each class, kept from it altogether (${unknown.epochs} epochs at most, seed ${unknown.seed}; ${unknown.trainings.length - 1} classes), beside one of as many epochs
that had them all: what is lost is what not knowing the class costs. Alerted is whatever the attack was taken for, by the default rule that asks for 0.9 as well, wherever the threshold lies.${otherData(unknown, trainedOn)}

${table(
  [
    'part',
    'source',
    'class',
    'runs alerted by a training without it',
    'with it',
    'windows at the threshold without it',
    'with it',
    'runs named, without it',
    'windows named, without it',
  ],
  weakFirst(rows).map((row) => {
    const known = sameIn(whole.found, row);
    return [
      row.part,
      row.source,
      row.class,
      ratio(row.alerted, row.episodes),
      known === undefined ? '–' : ratio(known.alerted, known.episodes),
      share(row),
      known === undefined ? '–' : share(known),
      names(row.named_as),
      names(row.windows_named_as),
    ];
  }),
)}

Each has a threshold of its own, by the same rule; beside it the benign windows that alarm at it.

${table(['kept from', 'threshold', 'benign windows at the threshold'], trainings)}`;
}

/** By part; of those, what is alerted or, where there are no runs, at the threshold most seldom. */
function weakFirst(rows: readonly FoundClass[]): FoundClass[] {
  const found = (row: FoundClass): number =>
    row.episodes > 0 ? row.alerted / row.episodes : row.loud_windows / Math.max(1, row.windows);
  return rows.toSorted((a, b) => a.part.localeCompare(b.part) || found(a) - found(b));
}

function share({ loud_windows: loud, windows }: FoundClass, digits = 1): string {
  return windows === 0 ? '–' : `${percent(loud / windows, digits)} of ${windows}`;
}

/** `port_scan 12, ddos_flood 3`, the most frequent first. */
function names(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts);
  const told = all.slice(0, mostNames).map(([name, count]) => `${name} ${count}`);
  const others = all.slice(mostNames).reduce((sum, [, count]) => sum + count, 0);
  return all.length === 0 ? '–' : [...told, ...(others > 0 ? [`others ${others}`] : [])].join(', ');
}
