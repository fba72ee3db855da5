/** Measures a trained network on the part that training never saw, and the baselines beside it. */
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { z } from 'zod';
import { logisticBaseline } from './baselines/logistic-regression.ts';
import { evaluationWindows } from './dataset/evaluation-windows.ts';
import type { EvaluationWindows } from './dataset/evaluation-windows.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import { classFigures, falseAlarmShare, macroF1, precisionRecallArea } from './metrics.ts';
import { buildDetectGraph } from './network/bundle-graphs.ts';
import { classCount } from './network/cnn-lstm.ts';
import { scoreWindows } from './network/scorer.ts';
import { networkOf } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';

const Share = z.number().min(0).max(1);

/** One source's figures; a class that does not occur is left out. */
const SourceFigures = z.strictObject({
  source: z.string(),
  windows: z.int(),
  benign_windows: z.int(),
  false_alarm_share: Share,
  macro_f1: Share,
  pr_auc: Share,
  classes: z.array(
    z.strictObject({
      class: z.string(),
      windows: z.int(),
      /** Share at or above the threshold, whatever class it is given. */
      detected: Share,
      /** Share at or above the threshold and named rightly. */
      recall: Share,
      precision: Share,
    }),
  ),
  /** A host, device type, site or capture, with the share of its attack windows that alarm. */
  attack_groups: z.array(z.strictObject({ group: z.string(), windows: z.int(), detected: Share })),
  benign_groups: z.array(z.strictObject({ group: z.string(), windows: z.int(), false_alarm_share: Share })),
});
export type SourceFigures = z.infer<typeof SourceFigures>;

export const Evaluation = z.strictObject({
  threshold: Share,
  sources: z.array(SourceFigures),
  baselines: z.array(
    z.strictObject({ name: z.string(), macro_f1: Share, pr_auc: Share, false_alarm_share: Share, recall: Share }),
  ),
});
export type Evaluation = z.infer<typeof Evaluation>;

/**
 * Every source is measured on its test part, and beside it on its validation part, which is marked so: threshold and
 * number of epochs were chosen there.
 */
export async function evaluateModel(dataset: Dataset, record: TrainingRecord): Promise<Evaluation> {
  const test = await scored(evaluationWindows(dataset, 'test'), record);
  const validation = await scored(evaluationWindows(dataset, 'validation'), record);
  const figuresOf = (windows: ScoredWindows, mark: string): SourceFigures[] => {
    const sourceOf = windows.groups.map((group) => group.split(' ')[0]!);
    return [...new Set(sourceOf)].sort().map((source) => {
      const chosen = [...sourceOf.keys()].filter((index) => sourceOf[index] === source);
      return sourceFigures(source + mark, chosen, windows, record.threshold);
    });
  };
  return {
    threshold: record.threshold,
    sources: [
      sourceFigures('all', [...test.labels.keys()], test, record.threshold),
      ...figuresOf(test, ''),
      ...figuresOf(validation, validationMark),
    ],
    baselines: [majority(test), logisticBaseline(dataset, test, record.seed)],
  };
}

/** Ends the name of a source that was measured on its validation part. */
export const validationMark = '_validation';

interface ScoredWindows extends EvaluationWindows {
  readonly scores: Float32Array;
  /** The likeliest attack where the score reaches the threshold, else benign: as the agent names it. */
  readonly predicted: Uint8Array;
}

async function scored(windows: EvaluationWindows, record: TrainingRecord): Promise<ScoredWindows> {
  const probabilities = await scoreWindows(buildDetectGraph(networkOf(record)), windows);
  const scores = Float32Array.from({ length: windows.count }, (_, index) => 1 - probabilities[index * classCount]!);
  const predicted = Uint8Array.from(scores, (score, index) => {
    if (score < record.threshold) return 0;
    const row = probabilities.subarray(index * classCount + 1, (index + 1) * classCount);
    return 1 + row.indexOf(Math.max(...row));
  });
  return { ...windows, scores, predicted };
}

function sourceFigures(
  source: string,
  chosen: readonly number[],
  windows: ScoredWindows,
  threshold: number,
): SourceFigures {
  const { scores, predicted } = windows;
  const labels = chosen.map((index) => windows.labels[index]!);
  const chosenScores = chosen.map((index) => scores[index]!);
  const figures = classFigures(
    labels,
    chosen.map((index) => predicted[index]!),
    classCount,
  );
  const benign = chosen.filter((index) => windows.labels[index] === 0);
  return {
    source,
    windows: chosen.length,
    benign_windows: benign.length,
    false_alarm_share: falseAlarmShare(chosenScores, (index) => labels[index] === 0, threshold),
    macro_f1: macroF1(figures, 20),
    pr_auc: precisionRecallArea(chosenScores, (index) => labels[index] !== 0),
    classes: figures.flatMap(({ support, recall, precision }, index) => {
      if (support === 0 || index === 0) return [];
      const hits = chosenScores.filter((score, at) => labels[at] === index && score >= threshold).length;
      return [{ class: trafficClasses[index]!, windows: support, detected: hits / support, recall, precision }];
    }),
    attack_groups: [
      ...Map.groupBy(
        chosen.filter((index) => windows.labels[index] !== 0),
        (index) => windows.groups[index]!,
      ),
    ].map(([group, members]) => ({
      group,
      windows: members.length,
      detected: members.filter((index) => scores[index]! >= threshold).length / members.length,
    })),
    benign_groups: [...Map.groupBy(benign, (index) => windows.groups[index]!)].map(([group, members]) => ({
      group,
      windows: members.length,
      false_alarm_share: members.filter((index) => scores[index]! >= threshold).length / members.length,
    })),
  };
}

/** Says whatever is commonest, which is all that a high accuracy may mean. */
function majority(windows: EvaluationWindows): Evaluation['baselines'][number] {
  const counts = new Float64Array(classCount);
  for (const label of windows.labels) counts[label]! += 1;
  const commonest = counts.indexOf(Math.max(...counts));
  const figures = classFigures(windows.labels, new Uint8Array(windows.count).fill(commonest), classCount);
  const attacks = windows.count - counts[0]!;
  return {
    name: `majority (${trafficClasses[commonest]})`,
    macro_f1: macroF1(figures, 20),
    pr_auc: attacks / windows.count,
    false_alarm_share: commonest === 0 ? 0 : 1,
    recall: commonest === 0 ? 0 : 1,
  };
}
