/** The card's tables of captures from elsewhere, source by source, and of sources that a training was kept from. */
import { z } from 'zod';
import type { DataDescription } from '../data-description.ts';
import { CaptureFigures } from '../evaluation/evaluation.ts';
import { percent, ratio, table } from './table.ts';

/** A capture says something about windows from this many flows on. */
const fewestFlows = 10;

/** A training that was kept from a source, and what it makes of it. */
export const LeftOut = z.strictObject({
  source: z.string(),
  seed: z.int(),
  captures: z.array(CaptureFigures),
});
export type LeftOut = z.infer<typeof LeftOut>;

export function captureSection(
  captures: readonly CaptureFigures[],
  trainedOn: readonly DataDescription[],
  leftOut: readonly LeftOut[],
): string {
  if (captures.length === 0) return '';
  const known = new Set(trainedOn.filter(({ part }) => part === 'train').map(({ source }) => source));
  const attacks = captures.filter(({ attack }) => attack);
  const loud = captures.filter(({ attack, alarmed_windows: alarmed }) => !attack && alarmed > 0);
  const sources = Map.groupBy(captures, ({ source }) => source);
  return `## Captures from elsewhere, never trained on

${table(
  ['source', 'captures', 'alerted (N of M)', 'any window at the threshold'],
  [
    ...rowsOf('all', captures),
    ...[...sources].flatMap(([source, members]) =>
      rowsOf(
        known.has(source)
          ? `${source}: other device types of it were trained on`
          : `${source}: training had none of this source`,
        members,
      ),
    ),
    ...leftOut.flatMap(({ source, seed, captures: members }) =>
      rowsOf(`${source}, all of it, by a training that it was kept from (seed ${seed})`, members),
    ),
  ],
)}

${table(
  ['capture', 'flows', 'windows at the threshold', 'highest score', 'alerted'],
  [...attacks.toSorted((a, b) => a.highest_score - b.highest_score), ...loud].map((capture) => [
    `${capture.attack ? '' : 'benign: '}${capture.capture}`,
    capture.flows,
    ratio(capture.alarmed_windows, capture.windows),
    percent(capture.highest_score, 1),
    capture.alerted ? 'yes' : 'no',
  ]),
)}`;
}

/** Single flows and few apart: a window of them says little. */
function rowsOf(source: string, captures: readonly CaptureFigures[]): string[][] {
  const attacks = captures.filter(({ attack }) => attack);
  const kinds: [string, CaptureFigures[]][] = [
    [`attacks of ${fewestFlows} flows or more`, attacks.filter(({ flows }) => flows >= fewestFlows)],
    [`attacks of 2 to ${fewestFlows - 1} flows`, attacks.filter(({ flows }) => flows > 1 && flows < fewestFlows)],
    ['attacks of a single flow', attacks.filter(({ flows }) => flows <= 1)],
    ['benign', captures.filter(({ attack }) => !attack)],
  ];
  return kinds
    .filter(([, members]) => members.length > 0)
    .map(([kind, members]) => [
      source,
      kind,
      ratio(members.filter(({ alerted }) => alerted).length, members.length),
      ratio(members.filter(({ alarmed_windows: alarmed }) => alarmed > 0).length, members.length),
    ]);
}
