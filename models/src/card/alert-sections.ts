/** The card's tables of what a person sees: episodes, false alerts. */
import type { AlertFigures, EpisodeFigures, QuietFigures } from '../evaluation/evaluation.ts';
import { ratio, table } from './table.ts';

export function episodeSection(episodes: readonly EpisodeFigures[], possible: readonly EpisodeFigures[]): string {
  if (episodes.length === 0) return 'No episode with a known beginning was measured.';
  const groups = Map.groupBy(episodes, ({ part, source, class: name }) => `${part}\n${source}\n${name}`);
  const rows = [...groups].map(([key, members]) => {
    const [part = '', source = '', name = ''] = key.split('\n');
    const unseen = members.filter(isUnseen);
    const seconds = members.flatMap(({ median_seconds: value }) => value ?? []);
    const tools = members
      .toSorted((a, b) => a.alerted / a.episodes - b.alerted / b.episodes)
      .map((member) => `${member.tool}${mark[member.tool_seen_in]} ${member.alerted}/${member.episodes}`);
    const best = possible.filter((row) => row.part === part && row.source === source && row.class === name);
    const windows = members.flatMap(({ median_windows: value }) => value ?? []);
    return { part, source, name, unseen, members, best, seconds, windows, tools };
  });
  return `An episode is one run of one tool; several run at once. It counts as alerted when N of M windows (the agent's default rules, one of
which asks for fifteen of twenty at 0.9 wherever the threshold lies) reached the threshold, and in one of them no other episode had more flows, or the alert names its class. "Possible" is what
would be alerted, and named, if each window's score were its truth: N of M asks for windows that some short or sparse runs do
not fill, and a run beside a louder one shares its alerts. A few more may be alerted than that, by windows that hold too little of a run to be asked for.

${toolTable(episodes)}

What counts is tools that training never ran. Of the tools, * marks those that training ran too, with other settings on
other sites, and + those that only validation did.

${table(
  [
    'part',
    'source',
    'class',
    'alerted, tools that training never ran',
    'alerted, all',
    'possible',
    'of those named rightly',
    'possible',
    'median s to alert (slowest tool)',
    'windows',
    'tools, weakest first',
  ],
  rows
    .toSorted((a, b) => a.part.localeCompare(b.part) || share(a.members) - share(b.members))
    .map(({ part, source, name, unseen, members, best, seconds, windows, tools }) => [
      part,
      source,
      name,
      alertedOf(unseen),
      alertedOf(members),
      sum(best, ({ alerted }) => alerted),
      namedOf(members),
      namedOf(best),
      seconds.length === 0 ? '–' : Math.max(...seconds).toFixed(1),
      windows.length === 0 ? '–' : Math.max(...windows),
      tools.join(', '),
    ]),
)}`;
}

/** What a gateway tells by counting, beside what its network says: the same figures without and with it. */
export function countedSection(alone: AlertFigures, withCounts: AlertFigures): string {
  const groups = Map.groupBy(alone.episodes, ({ part, source }) => `${part}\n${source}`);
  const rows = [...groups].map(([key, members]) => {
    const [part = '', source = ''] = key.split('\n');
    const isHere = (row: { readonly part: string; readonly source: string }): boolean =>
      row.part === part && row.source === source;
    const both = withCounts.episodes.filter(isHere);
    const falseAlerts = ({ quiet }: AlertFigures): string => {
      const rows = quiet.filter(isHere);
      const told = rows.some((row) => row.told === undefined) ? '–' : sum(rows, (row) => row.told?.false_alerts ?? 0);
      return `${told} / ${sum(rows, (row) => row.false_alerts)}`;
    };
    return [
      part,
      source,
      alertedOf(members),
      alertedOf(both),
      sum(members, ({ named }) => named),
      sum(both, ({ named }) => named),
      falseAlerts(alone),
      falseAlerts(withCounts),
    ];
  });
  const attacks = ({ captures }: AlertFigures): string => {
    const [attacked, quiet] = [captures.filter(({ attack }) => attack), captures.filter(({ attack }) => !attack)];
    return `${attacked.filter(isAlerted).length} of ${attacked.length} attack captures and ${quiet.filter(isAlerted).length} of ${quiet.length} benign ones`;
  };
  return `A gateway counts as well what is plain by its number: ports tried without a word, flows to one port without an answer, short
log-ins of one host. Everything else on this page is the network's word alone; with these counts a person would have been told
(false alerts as a person is told of them / as networks are compared, see above):

${table(
  ['part', 'source', 'alerted', 'with counts', 'named rightly', 'with counts', 'false alerts', 'with counts'],
  rows,
)}

Of captures judged as a whole: ${attacks(alone)} alerted; with counts ${attacks(withCounts)}.`;
}

const isAlerted = ({ alerted }: { readonly alerted: boolean }): boolean => alerted;

const mark = { train: '*', validation: '+', nowhere: '' } as const;

const seenIn = {
  nowhere: 'that neither training nor validation ran',
  validation: 'that validation ran and training did not',
  train: 'that training ran, with other settings on other sites',
} as const;

/** The same figures by who met the tools before. */
function toolTable(episodes: readonly EpisodeFigures[]): string {
  const groups = Map.groupBy(episodes, (row) => `${row.part}\n${row.source}\n${row.tool_seen_in}`);
  return table(
    ['part', 'source', 'tools', 'which', 'alerted', 'of those named rightly'],
    [...groups.values()]
      .toSorted((a, b) => order(a) - order(b))
      .map((members) => {
        const { part, source, tool_seen_in: seen } = members[0]!;
        const tools = [...new Set(members.map(({ tool }) => tool))].sort();
        return [part, source, seenIn[seen], tools.join(', '), alertedOf(members), namedOf(members)];
      }),
  );
}

function order([first]: readonly EpisodeFigures[]): number {
  return (first!.part === 'test' ? 0 : 3) + Object.keys(seenIn).indexOf(first!.tool_seen_in);
}

function isUnseen({ tool_seen_in: seen }: EpisodeFigures): boolean {
  return seen !== 'train';
}

function alertedOf(rows: readonly EpisodeFigures[]): string {
  return ratio(
    sum(rows, ({ alerted }) => alerted),
    sum(rows, ({ episodes }) => episodes),
  );
}

function namedOf(rows: readonly EpisodeFigures[]): string {
  return ratio(
    sum(rows, ({ named }) => named),
    sum(rows, ({ alerted }) => alerted),
  );
}

function share(rows: readonly EpisodeFigures[]): number {
  return sum(rows, ({ alerted }) => alerted) / sum(rows, ({ episodes }) => episodes);
}

export function quietSection(quiet: readonly QuietFigures[]): string {
  if (quiet.length === 0) return 'No gateway was listened to.';
  return `False alerts: N of M windows without a single attack flow among them. A person is told once of each device, class and peer
until it was not seen for an hour: what comes back sooner goes on with its alert. What networks are compared by, and thresholds are
chosen by, is each device and class after five minutes of quiet, as often as it comes back. The bounds are one-sided, 95 %.

${table(
  [
    'part',
    'source',
    'gateways',
    'gateway-hours',
    'flows an hour',
    'a person is told',
    'per gateway and day',
    'at most',
    'after five minutes of quiet',
    'per gateway and day',
    'at most',
  ],
  quiet.map((row) => [
    row.part,
    row.source,
    `${row.attacked ? 'between attacks' : 'in peace'}, ${row.view} side`,
    row.gateway_hours.toFixed(1),
    row.flows === undefined || row.gateway_hours === 0 ? '–' : Math.round(row.flows / row.gateway_hours),
    row.told?.false_alerts ?? '–',
    row.told?.per_gateway_day.toFixed(2) ?? '–',
    row.told?.at_most_per_gateway_day.toFixed(2) ?? '–',
    row.false_alerts,
    row.per_gateway_day.toFixed(2),
    row.at_most_per_gateway_day.toFixed(2),
  ]),
)}`;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
