/** The card's tables of what a person sees: episodes, false alerts, captures as a whole. */
import type { CaptureFigures, EpisodeFigures, QuietFigures } from '../evaluation/evaluation.ts';
import { percent, ratio, table } from './table.ts';

/** A capture says something about windows from this many flows on. */
const fewestFlows = 10;

export function episodeSection(episodes: readonly EpisodeFigures[], possible: readonly EpisodeFigures[]): string {
  if (episodes.length === 0) return 'No episode with a known beginning was measured.';
  const groups = Map.groupBy(episodes, ({ part, source, class: name }) => `${part}\n${source}\n${name}`);
  const rows = [...groups].map(([key, members]) => {
    const [part = '', source = '', name = ''] = key.split('\n');
    const total = sum(members, ({ episodes: count }) => count);
    const alerted = sum(members, (member) => member.alerted);
    const named = sum(members, (member) => member.named);
    const seconds = members.flatMap(({ median_seconds: value }) => value ?? []);
    const tools = members
      .toSorted((a, b) => a.alerted / a.episodes - b.alerted / b.episodes)
      .map((member) => `${member.tool} ${member.alerted}/${member.episodes}`);
    const best = possible.filter((row) => row.part === part && row.source === source && row.class === name);
    const mostAlerted = sum(best, (row) => row.alerted);
    const mostNamed = sum(best, (row) => row.named);
    return { part, source, name, total, alerted, mostAlerted, named, mostNamed, seconds, tools };
  });
  return `An episode is one run of one tool; several run at once. It counts as alerted when N of M windows (the agent's default rules)
reached the threshold, and in one of them no other episode had more flows, or the alert names its class. "Possible" is what
would be alerted, and named, if each window's score were its truth: N of M asks for windows that some short or sparse runs do
not fill, and a run beside a louder one shares its alerts.

${table(
  [
    'part',
    'source',
    'class',
    'alerted',
    'possible',
    'of those named rightly',
    'possible',
    'median s to alert (slowest tool)',
    'tools, weakest first',
  ],
  rows
    .toSorted((a, b) => a.part.localeCompare(b.part) || a.alerted / a.total - b.alerted / b.total)
    .map(({ part, source, name, total, alerted, mostAlerted, named, mostNamed, seconds, tools }) => [
      part,
      source,
      name,
      ratio(alerted, total),
      mostAlerted,
      ratio(named, alerted),
      ratio(mostNamed, mostAlerted),
      seconds.length === 0 ? '–' : Math.max(...seconds).toFixed(1),
      tools.join(', '),
    ]),
)}`;
}

export function quietSection(quiet: readonly QuietFigures[]): string {
  if (quiet.length === 0) return 'No gateway was listened to.';
  return `False alerts as a person counts them: N of M windows without a single attack flow among them, one alert per device and
class until five minutes of quiet. The bound is one-sided, 95 %.

${table(
  ['part', 'source', 'gateways', 'gateway-hours', 'false alerts', 'per gateway and day', 'at most'],
  quiet.map((row) => [
    row.part,
    row.source,
    `${row.attacked ? 'between attacks' : 'in peace'}, ${row.view} side`,
    row.gateway_hours.toFixed(1),
    row.false_alerts,
    row.per_gateway_day.toFixed(2),
    row.at_most_per_gateway_day.toFixed(2),
  ]),
)}`;
}

export function captureSection(captures: readonly CaptureFigures[]): string {
  if (captures.length === 0) return '';
  const attacks = captures.filter(({ attack }) => attack);
  const many = attacks.filter(({ flows }) => flows >= fewestFlows);
  const few = attacks.filter(({ flows }) => flows < fewestFlows);
  const benign = captures.filter(({ attack }) => !attack);
  const alerted = (members: readonly CaptureFigures[]): string =>
    ratio(members.filter((capture) => capture.alerted).length, members.length);
  const touched = (members: readonly CaptureFigures[]): string =>
    ratio(members.filter((capture) => capture.alarmed_windows > 0).length, members.length);
  const loud = benign.filter(({ alarmed_windows: alarmed }) => alarmed > 0);
  return `## Captures from elsewhere, never trained on

${table(
  ['captures', 'alerted (N of M)', 'any window at the threshold'],
  [
    [`attacks of ${fewestFlows} flows or more`, alerted(many), touched(many)],
    ['attacks of fewer flows', alerted(few), touched(few)],
    ['benign', alerted(benign), touched(benign)],
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

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
