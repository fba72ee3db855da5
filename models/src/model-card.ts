/** The card of a bundle: what it was trained on, what it is bad at, and how it was measured. Weak classes first. */
import { features } from '@picket/shared/features/feature-schema';
import { countedSection, episodeSection, quietSection } from './card/alert-sections.ts';
import type { CardExtras } from './card/card-extras.ts';
import { captureSection } from './card/capture-sections.ts';
import { ablationSection, baselineSection, seedSection } from './card/comparison-sections.ts';
import { percent, table } from './card/table.ts';
import { tuningSection } from './card/tuning-section.ts';
import { leftOutSection, unknownSection } from './card/unknown-sections.ts';
import { copySection, probeSections, windowSection } from './card/window-sections.ts';
import { usualSplit } from './dataset/capture-split.ts';
import type { Evaluation } from './evaluation/evaluation.ts';
import type { TrainingRecord } from './training-record.ts';

export function writeModelCard(
  version: string,
  record: TrainingRecord,
  evaluation: Evaluation,
  extras: CardExtras,
): string {
  const { network, with_counts: withCounts, adversarial, baselines, possible } = evaluation;
  return `${[
    `# ${version}`,
    `Scores windows of up to ten flows of one device: P(attack), and which kind. Threshold ${record.threshold.toFixed(4)}, temperature ${record.temperature.toFixed(2)}${record.offset === 0 ? '' : `, offset ${record.offset.toFixed(2)}`}, seed ${record.seed}, epoch ${record.best_epoch} of ${record.epochs.length}.
The threshold is ${record.threshold_reason}.`,
    '## Attacks that it misses, weak classes first',
    episodeSection(network.episodes, possible),
    leftOutSection(record.left_out_classes, evaluation.found_classes ?? []),
    unknownSection(extras.unknown, record.data_fingerprint),
    '## False alerts',
    quietSection(network.quiet),
    captureSection(network.captures, record.data, extras.left_out),
    ...(withCounts === undefined ? [] : ['## What is counted beside the network', countedSection(network, withCounts)]),
    ...extras.remarks,
    '## What it was trained on',
    table(
      ['source', 'part', 'windows', 'groups', 'attacked', 'runs of attacks', 'hours in peace', 'which'],
      [...record.data, ...evaluation.tested_on].map((row) => [
        row.source,
        row.part,
        row.windows,
        row.groups.length,
        row.attacked_groups,
        row.episodes,
        row.hours_in_peace,
        row.groups.join(', '),
      ]),
    ),
    termsSection(record),
    `Split before windows were cut: the range by site, with tools and services that training never had beside some that it had; published tables by blocks of two minutes with
ten seconds' gap; tables and captures of single devices by device type. Scaling, early stopping, temperature and threshold come from training and
validation parts; nothing measured on the test part changed a weight or the threshold. It is no fresh one, though: every bundle before this one was
measured on it as it stood then, and each seed and variant named here. What it says between brackets: 95 % of 200 resamplings of whole stretches. Not looked at: ${record.masked_features.map((index) => features[index]!.name).join(', ')}. Of the destination port
only how much of the window goes to the same one.`,
    ...network.sources.toSorted((a, b) => a.part.localeCompare(b.part)).map(windowSection),
    copySection(evaluation.copies ?? []),
    ...probeSections(network, adversarial),
    baselineSection(
      [network, ...baselines],
      record.tuned_to.map(({ source }) => source),
    ),
    tuningSection(extras.tunings),
    seedSection(extras.seeds),
    ablationSection(extras.ablations, record.data_fingerprint),
    limits(record, extras),
  ]
    .filter((section) => section !== '')
    .join('\n\n')}\n`;
}

/** Which data from elsewhere the weights rest on, and under which terms these may be used. */
function termsSection({ data }: TrainingRecord): string {
  const foreign = data.filter(({ source, part }) => source !== 'range' && part === 'train');
  if (foreign.length === 0)
    return 'Trained on the attack range of this repository alone, whose flows are in it: no data from elsewhere.';
  const lines = foreign.map(({ source, windows, groups }) => {
    const terms =
      usualSplit.sources.find(({ name }) => name === source)?.terms ?? 'see the terms of whoever published it';
    return `- ${source}: ${windows} windows of ${groups.length} groups (${groups.join(', ')}). ${terms}`;
  });
  return `Flows of the range are this repository's own. From elsewhere it was trained on:\n\n${lines.join('\n')}`;
}

function limits({ threshold, left_out_classes: leftOut }: TrainingRecord, { unknown }: CardExtras): string {
  const unmet =
    unknown === null && leftOut.length === 0
      ? `no class was kept from training: of kinds of attack that it never met, only of
  tools, nothing is claimed`
      : `of a kind of attack that it never met the tables above say what they say
  for this range, and nothing further`;
  return `## Limits

- A class without a line above was not measured; ${unmet}. Windows with a single flow of a scan, a guess, a beacon or a slow attack, or fewer than three of a flood, count as neither. Macro-F1 counts classes with at least 50 windows.
- Windows overlap, so neighbouring figures are not independent; episodes and captures are.
- Beacons, exfiltration and attacks on web applications differ little from telemetry, uploads and browsing in flow
  features alone; their figures on captures are the ones to believe.
- Of peers it sees only which flows share one, of times only how long ago a flow began: a beacon an hour apart is ten
  flows among hundreds of others.
- Tables hold ended flows in the profile \`improved2022\`; only captures show flows as a gateway reports them.
- Nothing here is a promise for a network that looks like none of these. Begin in \`simulate\`; ${percent(threshold, 2)} is a default, not a law.`;
}
