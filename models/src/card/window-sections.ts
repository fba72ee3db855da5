/** The card's tables over single windows: classes per source, dilution, monotony, order, calibration, adversaries. */
import type { AdversarialFigures, Figures, SourceFigures } from '../evaluation/evaluation.ts';
import { percent, table } from './table.ts';

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
    `${figures.windows} windows, ${figures.benign_windows} benign; false alarms: ${percent(figures.false_alarm_share, 3)} of the benign ones, one by one.`,
  ];
  if (weakFirst.length > 0) {
    lines.push(
      '',
      `Macro-F1 ${figures.macro_f1.toFixed(3)}, PR-AUC ${figures.pr_auc.toFixed(4)} as the windows are, ${figures.pr_auc_mostly_benign.toFixed(4)} if three quarters were benign.`,
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
Attack windows as they were: ${percent(shuffled.recall)} of ${shuffled.windows} found; with their flows in random order ${percent(shuffled.recall_shuffled)}.`,
    `## Do scores mean what they say?

Benign and attack windows weighing the same. Mean distance ${error.toFixed(3)}.

${table(
  ['score from', 'windows', 'mean score', 'attacks among them'],
  reliability.map((row) => [row.from.toFixed(1), row.windows, row.mean_score.toFixed(3), percent(row.attack_share, 1)]),
)}`,
    adversarial.length === 0
      ? ''
      : `## Against an adversary

Windows changed within ε (standardised units) as packets can be: whoever opened the conversation waits longer and pads
what it sends, and everything that follows is computed anew.

${table(
  ['ε', 'windows', 'recall', 'after FGSM', 'after PGD, 10 steps'],
  adversarial.map((row) => [
    row.epsilon,
    row.windows,
    percent(row.recall),
    percent(row.recall_fgsm),
    percent(row.recall_pgd),
  ]),
)}`,
  ];
}
