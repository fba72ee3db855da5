/** The card's tables over single windows: classes per source, dilution, monotony, order, calibration, adversaries. */
import type { AdversarialFigures, CopyFigures, Figures, SourceFigures } from '../evaluation/evaluation.ts';
import { assumedAttackShare } from '../metrics.ts';
import { percent, ratio, table } from './table.ts';

const mostGroups = 12;

export function windowSection(figures: SourceFigures): string {
  const weakFirst = figures.classes.toSorted((a, b) => a.recall - b.recall);
  const loudFirst = figures.benign_groups
    .filter(({ false_alarm_share: share }) => share > 0)
    .toSorted((a, b) => b.false_alarm_share - a.false_alarm_share);
  const title = figures.part === 'test' ? 'Test part' : 'Validation part, where threshold and epochs were chosen';
  const lines = [
    `## ${title}: ${figures.source}`,
    '',
    `${figures.windows} windows, ${figures.benign_windows} benign; false alarms: ${percent(figures.false_alarm_share, 3)}${between(figures.false_alarm_interval, (share) => percent(share, 3))} of the benign ones, one by one.`,
  ];
  if (weakFirst.length > 0) {
    lines.push(
      '',
      `Macro-F1 ${figures.macro_f1.toFixed(3)}, PR-AUC ${figures.pr_auc.toFixed(4)} as the windows are, ${figures.pr_auc_mostly_benign.toFixed(4)}${between(figures.pr_auc_interval, (area) => area.toFixed(4))} if three quarters were benign.`,
      '',
      table(
        ['class', 'windows', 'at the threshold', 'and named rightly', 'precision'],
        weakFirst.map((row) => [
          row.class,
          row.windows,
          percent(row.detected),
          percent(row.recall),
          percent(row.precision),
        ]),
      ),
    );
  }
  if (loudFirst.length > 0) {
    lines.push(
      '',
      table(
        ['benign of', 'windows', 'false alarms'],
        loudFirst
          .slice(0, mostGroups)
          .map(({ group, windows, false_alarm_share: share }) => [group, windows, percent(share)]),
      ),
    );
  }
  return lines.join('\n');
}

/** ` (0.91 to 0.95)`: where 95 % of the resamplings lie. Nothing where all are alike: of no alarm at all they say nothing. */
function between(interval: readonly [number, number] | undefined, text: (value: number) => string): string {
  return interval === undefined || interval[0] === interval[1] ? '' : ` (${text(interval[0])} to ${text(interval[1])})`;
}

export function probeSections(network: Figures, adversarial: readonly AdversarialFigures[]): string[] {
  const { dilution, monotony, shuffled, reliability, calibration_error: error } = network;
  return [
    `## Dilution, monotony, order

Recall, mean over classes, with so many attack flows among ten, the others benign of the same source:

${table(
  ['attack flows', ...dilution.map((row) => String(row.attack_flows))],
  [['recall', ...dilution.map(({ recall }) => recall.toFixed(2))]],
)}

One benign flow ten times over: ${percent(monotony.false_alarm_share)} of ${monotony.windows} such windows alarm.
Attack windows as they were: ${percent(shuffled.recall)} of ${shuffled.windows} found; with their flows in random order ${percent(shuffled.recall_shuffled)}.${slowedLine(network)}`,
    shortSection(network),
    `## Do scores mean what they say?

As if ${percent(assumedAttackShare)} of the windows were attacks. Mean distance, each row by its windows, ${error.toFixed(3)}: the rows in the middle are few.

${table(
  ['score from', 'windows', 'mean score', 'attacks among them'],
  reliability.map((row) => [row.from.toFixed(1), row.windows, row.mean_score.toFixed(3), percent(row.attack_share, 1)]),
)}`,
    adversarial.length === 0
      ? ''
      : `## Against an adversary

Windows changed within ε (standardised units) as packets can be: whoever opened the conversation waits longer and pads
what it sends, and everything that follows is computed anew. Either to be taken for another class, or not to be seen at all. When flows
begin, and how many there were of late, it leaves as it is.

${table(
  ['ε', 'windows', 'recall', 'FGSM, for another class', 'PGD, 10 steps', 'FGSM, for a benign window', 'PGD, 10 steps'],
  adversarial.map((row) => [
    row.epsilon,
    row.windows,
    percent(row.recall),
    percent(row.recall_fgsm),
    percent(row.recall_pgd),
    row.recall_fgsm_unseen === undefined ? '–' : percent(row.recall_fgsm_unseen),
    row.recall_pgd_unseen === undefined ? '–' : percent(row.recall_pgd_unseen),
  ]),
)}`,
  ];
}

function slowedLine({ slowed = [] }: Figures): string {
  if (slowed.length === 0) return '';
  const shares = slowed.map(({ pace, recall }) => `${percent(recall)} with ${pace} times as long between them`);
  return `\nOf the same windows, their flows following one another more slowly: ${shares.join(', ')}.`;
}

/** How short conversations are padded, and what the other way of padding would do. */
function shortSection({ short = [] }: Figures): string {
  if (short.length === 0) return '';
  return `## Short windows

Where a device has fewer than ten flows, the slots before them are empty and not looked at. Windows cut to their newest few,
as of a device that had none before, beside the same flows over and over until all slots are full:

${table(
  ['flows', 'attacks', 'found', 'repeated', 'benign', 'alarm', 'repeated'],
  short.map((row) => [
    row.flows,
    row.attacks,
    percent(row.recall),
    percent(row.recall_repeated),
    row.benign,
    percent(row.false_alarm_share),
    percent(row.false_alarm_share_repeated),
  ]),
)}`;
}

export function copySection(copies: readonly CopyFigures[]): string {
  if (copies.length === 0) return '';
  return `## Flows that training had as well

Of the test part: flows whose features, as far as they are looked at, are exactly those of a flow that training had; and the
figures over single windows without the windows that hold nothing else. The context of a flow is not among its features.

${table(
  [
    'source',
    'flows',
    'of those copies',
    'attack windows, all',
    'found',
    'own',
    'found',
    'benign windows, all',
    'alarm',
    'own',
    'alarm',
  ],
  copies.map((row) => [
    row.source,
    row.flows,
    ratio(row.copied_flows, row.flows),
    row.attack_windows,
    shareOrNone(row.recall, row.attack_windows),
    row.own_attack_windows,
    shareOrNone(row.own_recall, row.own_attack_windows),
    row.benign_windows,
    shareOrNone(row.false_alarm_share, row.benign_windows, 3),
    row.own_benign_windows,
    shareOrNone(row.own_false_alarm_share, row.own_benign_windows, 3),
  ]),
)}`;
}

function shareOrNone(share: number, of: number, digits = 2): string {
  return of === 0 ? '–' : percent(share, digits);
}
