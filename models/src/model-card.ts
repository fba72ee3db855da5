/** The card of a bundle: what it was trained on, what it is bad at, and how it was measured. Weak classes first. */
import type { ModelManifest } from '@picket/shared/contract/model-manifest';
import { features } from '@picket/shared/features/feature-schema';
import { validationMark } from './evaluate-model.ts';
import type { Evaluation, SourceFigures } from './evaluate-model.ts';
import { falseAlarmTarget, thresholdBounds } from './train-model.ts';
import type { TrainingRecord } from './training-record.ts';

export function writeModelCard(manifest: ModelManifest, record: TrainingRecord, evaluation: Evaluation): string {
  return `# ${manifest.version}

Scores windows of up to ten flows of one device: P(attack), and which kind. Threshold ${manifest.threshold.toFixed(3)}, temperature
${record.temperature.toFixed(2)}, seed ${record.seed}, ${record.epochs.length} epochs. The threshold is the lowest from ${thresholdBounds[0]} to ${thresholdBounds[1]} at which no more than ${percent(falseAlarmTarget)} of the
benign validation windows of devices alarm; ${thresholdBounds[1]} means that this was out of reach, and the validation tables below say for whom.

## What it was trained on

${table(
  ['source', 'part', 'windows', 'groups'],
  record.data.map(({ source, part, windows, groups }) => [source, part, windows, groups.join(', ')]),
)}

Held out before windows were cut: benign hosts and IoT device types as a whole, attacks of the tables by time with ten
seconds' gap, captures by the setting they were made with. An attack of CIC-IDS2017 comes from one tool on one day, so
its held-out part is later, not different. IoT device types of one maker resemble each other across parts.

Sources other than \`cicids2017\` and \`iot-sentinel\` (published tables) are folders of captures, extracted by the agent
itself as it does live. A capture without a part of its own for training was never learnt from.

Not looked at: ${manifest.masked_features.map((index) => features[index]!.name).join(', ')}.

${evaluation.sources.map(sourceSection).join('\n\n')}

## Beside it, on all test windows

${table(
  ['baseline', 'macro-F1', 'PR-AUC', 'attack windows found', 'false alarms'],
  evaluation.baselines.map(({ name, macro_f1, pr_auc, recall, false_alarm_share }) => [
    name,
    macro_f1.toFixed(3),
    pr_auc.toFixed(4),
    percent(recall),
    percent(false_alarm_share),
  ]),
)}

## Limits

- Macro-F1 counts classes with at least 20 test windows. A class without a line above was not measured.
- Test windows overlap (stride one), so neighbouring figures are not independent.
- Beacons, exfiltration and attacks on web applications differ little from telemetry, uploads and browsing in flow
  features alone; their figures on captures are the ones to believe, and they are low.
- The range has round trips of a machine, not of the internet, and its hosts refuse connections rather than drop them.
- Tables hold ended flows; only captures show flows as a gateway reports them while they live.
- Shares are per window. What a person sees is fewer: the agent asks for several attack windows in a row.
`;
}

function sourceSection(figures: SourceFigures): string {
  const weakFirst = figures.classes.toSorted((a, b) => a.recall - b.recall);
  const loudFirst = figures.benign_groups.toSorted((a, b) => b.false_alarm_share - a.false_alarm_share);
  const lines = [
    titleOf(figures.source),
    '',
    `${figures.windows} windows, ${figures.benign_windows} benign; false alarms: ${percent(figures.false_alarm_share)} of the benign ones.`,
  ];
  if (weakFirst.length > 0) {
    const attacks = percent(1 - figures.benign_windows / figures.windows);
    lines.push(
      '',
      `Macro-F1 ${figures.macro_f1.toFixed(3)}, PR-AUC ${figures.pr_auc.toFixed(4)} where ${attacks} of the windows are attacks.`,
      '',
      table(
        ['class', 'windows', 'alarmed', 'alarmed and named rightly', 'precision'],
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
  if (figures.source !== 'all' && figures.attack_groups.length > 1) {
    const missedFirst = figures.attack_groups.toSorted((a, b) => a.detected - b.detected);
    lines.push(
      '',
      table(
        ['attacks of', 'windows', 'alarmed'],
        missedFirst.map(({ group, windows, detected }) => [group, windows, percent(detected)]),
      ),
    );
  }
  if (figures.source !== 'all' && loudFirst.length > 0) {
    lines.push(
      '',
      table(
        ['benign of', 'windows', 'false alarms'],
        loudFirst.map(({ group, windows, false_alarm_share }) => [group, windows, percent(false_alarm_share)]),
      ),
    );
  }
  return lines.join('\n');
}

function titleOf(source: string): string {
  if (source === 'all') return '## Test part: everything';
  if (!source.endsWith(validationMark)) return `## Test part: ${source}`;
  return `## Validation part, where threshold and epochs were chosen: ${source.slice(0, -validationMark.length)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
