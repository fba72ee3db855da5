/** Measures a trained network on what training never saw, and beside it what it must beat, by the same figures. */
import { trainBaselines } from './baselines/baselines.ts';
import { chooseThreshold } from './calibrate.ts';
import { describeData, toolSeenIn } from './data-description.ts';
import type { ToolSeenIn } from './data-description.ts';
import type { Dataset, Part } from './dataset/flow-rows.ts';
import { adversarialFigures } from './evaluation/adversarial-figures.ts';
import { countedProofsOf, proofsOf, type ProofsOf, type ScoredSequence } from './evaluation/alarms.ts';
import { captureFigures, episodeFigures, quietFigures } from './evaluation/alert-figures.ts';
import { copiesOfTraining, copyFigures } from './evaluation/copies.ts';
import { foundClasses } from './evaluation/found-classes.ts';
import type { AlertFigures, CopyFigures, Evaluation, Figures } from './evaluation/evaluation.ts';
import { possiblyLearnt, withoutKnown, withoutSites } from './evaluation/known-data.ts';
import { truth } from './evaluation/predictor.ts';
import type { Predictor } from './evaluation/predictor.ts';
import {
  dilutionFigures,
  monotonyFigures,
  orderFigures,
  probeSource,
  shortFigures,
  slowedFigures,
} from './evaluation/probes.ts';
import { isOfPart, judgedWindows, scoreSequences } from './evaluation/scored-sequences.ts';
import { reliability, sourceFigures } from './evaluation/window-figures.ts';
import { buildDetectGraph } from './network/bundle-graphs.ts';
import type { TrainedNetwork } from './network/cnn-lstm.ts';
import { Scorer } from './network/scorer.ts';
import { networkOf } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';

/** A mean over ten flows is seldom near 1: what is compared may be as bold as its validation lets it. */
const baselineBounds = [0.05, 0.99] as const;

export interface EvaluationOptions {
  /** Validation alone, while a network is still being designed: the test part stays closed. */
  readonly parts: readonly ('validation' | 'test')[];
  readonly withBaselines: boolean;
}

/** The parts are measured side by side: threshold and number of epochs were chosen on validation. */
export async function evaluateModel(
  dataset: Dataset,
  record: TrainingRecord,
  options: EvaluationOptions,
  progress: (line: string) => void,
): Promise<Evaluation> {
  const network = networkOf(record);
  const unseen = withoutKnown(dataset, record);
  const left = dataset.listenings.length - unseen.listenings.length;
  if (left > 0) progress(`${left} captures of devices that training or its threshold knew are left out`);
  await using scorer = await Scorer.open(buildDetectGraph(network));
  const predictor: Predictor = { name: 'network', score: (windows) => scorer.score(windows) };
  progress('network');
  const seenIn = (tool: string): ToolSeenIn => toolSeenIn(record.data, tool);
  const figures = await figuresOf(unseen, predictor, record.threshold, options.parts, seenIn);
  progress('what is counted beside it');
  const withCounts = await alertsWithCounts(unseen, predictor, record.threshold, options.parts, seenIn);
  const baselines: Figures[] = [];
  if (options.withBaselines) {
    const trained = withoutSites(dataset, record);
    for (const baseline of trainBaselines(trained, record.seed, progress)) {
      const { threshold } = await chooseThreshold(baseline, trained, baselineBounds);
      baselines.push(await figuresOf(unseen, baseline, threshold, options.parts, seenIn));
      progress(baseline.name);
    }
  }
  return {
    network: figures,
    with_counts: withCounts,
    adversarial: await worstCase(unseen, network, record.threshold, options),
    ...(options.parts.includes('test') && {
      copies: await copiesOf(possiblyLearnt(dataset, record), unseen, predictor, record),
    }),
    baselines,
    possible: await possibleEpisodes(unseen, options.parts, seenIn),
    ...(record.left_out_classes.length > 0 && {
      found_classes: await foundClasses(unseen, predictor, record.threshold, options.parts),
    }),
    tested_on: describeData(unseen).filter(({ part }) => part === 'test' && options.parts.includes(part)),
  };
}

async function figuresOf(
  dataset: Dataset,
  predictor: Predictor,
  threshold: number,
  parts: EvaluationOptions['parts'],
  seenIn: (tool: string) => ToolSeenIn,
): Promise<Figures> {
  const figures = emptyFigures(predictor.name, threshold);
  for (const part of parts) {
    const scored = await scoreSequences(dataset, predictor, isOfPart(part));
    const windows = judgedWindows(dataset, scored, threshold);
    const bySource = Map.groupBy(windows, ({ sequence }) => sequence.source);
    for (const [source, members] of bySource) {
      figures.sources.push(sourceFigures(source, part, members, threshold));
    }
    addAlerts(figures, dataset, { scored, part, threshold, seenIn }, (one) => proofsOf(dataset.rows, one, threshold));
    if (part !== parts.at(-1)) continue;
    // The last part that is looked at says how far scores can be believed.
    Object.assign(figures, reliability(windows));
  }
  const probed = probeSource(dataset, parts.at(-1)!, mainSource(dataset, parts.at(-1)!), 3);
  return {
    ...figures,
    dilution: await dilutionFigures(dataset, probed, predictor, threshold),
    monotony: await monotonyFigures(dataset, probed, predictor, threshold),
    shuffled: await orderFigures(dataset, probed, predictor, threshold),
    slowed: await slowedFigures(dataset, probed, predictor, threshold),
    short: await shortFigures(dataset, probed, predictor, threshold),
  };
}

async function alertsWithCounts(
  dataset: Dataset,
  predictor: Predictor,
  threshold: number,
  parts: EvaluationOptions['parts'],
  seenIn: (tool: string) => ToolSeenIn,
): Promise<AlertFigures> {
  const figures: AlertFigures = { episodes: [], quiet: [], captures: [] };
  for (const part of parts) {
    const scored = await scoreSequences(dataset, predictor, isOfPart(part));
    addAlerts(figures, dataset, { scored, part, threshold, seenIn }, (one) =>
      [...proofsOf(dataset.rows, one, threshold), ...countedProofsOf(dataset.rows, one.sequence)].toSorted(
        (a, b) => a.atUs - b.atUs,
      ),
    );
  }
  return figures;
}

interface ScoredPart {
  readonly scored: readonly ScoredSequence[];
  readonly part: EvaluationOptions['parts'][number];
  readonly threshold: number;
  readonly seenIn: (tool: string) => ToolSeenIn;
}

/** Proofs are looked for once for each stretch: three figures ask for them. */
function addAlerts(
  figures: AlertFigures,
  dataset: Dataset,
  { scored, part, threshold, seenIn }: ScoredPart,
  find: ProofsOf,
): void {
  const found = new Map(scored.map((one) => [one, find(one)]));
  const proofs: ProofsOf = (one) => found.get(one) ?? [];
  figures.episodes.push(...episodeFigures(dataset, scored, part, proofs, seenIn));
  figures.quiet.push(...quietFigures(dataset, scored, part, proofs));
  if (part === 'test') figures.captures.push(...captureFigures(dataset, scored, threshold, proofs));
}

async function possibleEpisodes(
  dataset: Dataset,
  parts: EvaluationOptions['parts'],
  seenIn: (tool: string) => ToolSeenIn,
): Promise<Evaluation['possible']> {
  const all: Evaluation['possible'] = [];
  for (const part of parts) {
    const scored = await scoreSequences(dataset, truth, isOfPart(part));
    all.push(...episodeFigures(dataset, scored, part, (one) => proofsOf(dataset.rows, one, 0.5), seenIn));
  }
  return all;
}

/** `learnt` holds what training had; a dataset without it has no copies of it. */
async function copiesOf(
  learnt: Dataset,
  unseen: Dataset,
  predictor: Predictor,
  { threshold, masked_features: masked }: TrainingRecord,
): Promise<CopyFigures[]> {
  const scored = await scoreSequences(unseen, predictor, isOfPart('test'));
  return copyFigures(unseen, scored, threshold, copiesOfTraining(learnt, masked));
}

async function worstCase(
  dataset: Dataset,
  network: TrainedNetwork,
  threshold: number,
  { parts }: EvaluationOptions,
): Promise<Evaluation['adversarial']> {
  const part = parts.at(-1)!;
  return await adversarialFigures(dataset, part, mainSource(dataset, part), network, threshold);
}

/** The source with the most kinds of attack in this part: the range, where it is there. */
function mainSource({ rows, sequences }: Dataset, part: Part): string {
  const kinds = new Map<string, Set<number>>();
  for (const sequence of sequences) {
    if (sequence.part !== part) continue;
    const seen = kinds.get(sequence.source) ?? new Set<number>();
    kinds.set(sequence.source, seen);
    for (const row of sequence.windows) if (row >= 0) seen.add(rows.classes[row]!);
  }
  return [...kinds].sort((a, b) => b[1].size - a[1].size)[0]?.[0] ?? '';
}

function emptyFigures(name: string, threshold: number): Figures {
  return {
    name,
    threshold,
    sources: [],
    episodes: [],
    quiet: [],
    captures: [],
    dilution: [],
    monotony: { windows: 0, false_alarm_share: 0 },
    shuffled: { windows: 0, recall: 0, recall_shuffled: 0 },
    reliability: [],
    calibration_error: 0,
  };
}
