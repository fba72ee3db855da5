/** What scores mean, and the threshold, both from validation data: so that 0.9 means nine in ten, and quiet means quiet. */
import { afterQuiet, alertCount, proofsOf, type ScoredSequence } from './evaluation/alarms.ts';
import { evaluationWindows } from './dataset/evaluation-windows.ts';
import { groupOf } from './dataset/flow-rows.ts';
import type { Dataset, FlowRows } from './dataset/flow-rows.ts';
import { amongNewcomers } from './dataset/window-familiarity.ts';
import type { Predictor } from './evaluation/predictor.ts';
import { poissonUpperBound } from './evaluation/alert-figures.ts';
import { judgedWindows, scoreSequences } from './evaluation/scored-sequences.ts';
import { fitCalibration } from './fit-calibration.ts';
import { assumedAttackShare, groupWeights, quietThreshold } from './metrics.ts';
import { buildDetectGraph } from './network/bundle-graphs.ts';
import { uncalibrated } from './network/cnn-lstm.ts';
import type { Calibration, TrainedNetwork } from './network/cnn-lstm.ts';
import { scoreWindows } from './network/scorer.ts';

/** Share of benign validation windows that may alarm, and the bounds of the threshold in any case. */
export const falseAlarmTarget = 0.001;
export const thresholdBounds = [0.5, 0.9999] as const;
/** Of a gateway in peace. */
const alertsPerDay = 1;
/** What comes in fewer cases than this, if there were as many as may be, says that there are more. */
const unlikely = 0.05;
/** Of a stretch, that scores are fitted to. */
const mostWindows = 500;
/** Steps in which the threshold is raised, in logits. */
const logitStep = 0.1;

/** Sources whose hosts are no devices: their benign part was an office, partly infected. They have no say in quietness. */
const offices: ReadonlySet<string> = new Set(['cicids2017', 'cse-cic-ids2018']);

/**
 * By windows in which every peer is new when it is first heard, as for the threshold; attacks weighing `assumedAttackShare`
 * together, and of the benign ones each site and device type the same.
 */
export async function calibrationOf(network: TrainedNetwork, dataset: Dataset): Promise<Calibration> {
  const windows = evaluationWindows(dataset, 'validation', mostWindows, amongNewcomers);
  const attacks = windows.labels.filter((label) => label !== 0).length;
  const benign = [...windows.labels.keys()].filter((index) => windows.labels[index] === 0);
  const weights = new Float64Array(windows.count).fill(assumedAttackShare / Math.max(1, attacks));
  const groups = groupWeights(benign.map((index) => groupOf(windows.sequences[index]!)));
  for (const [at, index] of benign.entries()) weights[index] = (1 - assumedAttackShare) * groups[at]!;
  const probabilities = await scoreWindows(buildDetectGraph({ ...network, calibration: uncalibrated }), windows);
  return fitCalibration({ probabilities, labels: windows.labels, weights });
}

/** What a source of validation data says of a threshold. */
interface Quietness {
  readonly rows: FlowRows;
  readonly source: string;
  /** Scores of its benign windows. */
  readonly scores: readonly number[];
  /** Of its gateways that nobody attacked. */
  readonly days: number;
  readonly peaceful: readonly ScoredSequence[];
}

/**
 * The lowest threshold at which the benign validation windows of each source stay quiet one by one, and its gateways in
 * peace, and those of all sources, give no more alerts of N of M than one a day could be (docs/decisions/0023): a few hours prove no such rate, and
 * one device's habit is not to decide what is found everywhere.
 */
export async function chooseThreshold(
  predictor: Predictor,
  dataset: Dataset,
  bounds: readonly [number, number] = thresholdBounds,
): Promise<{ readonly threshold: number; readonly reason: string }> {
  const sources = await quietnessOf(predictor, dataset);
  let threshold = Math.max(
    bounds[0],
    ...sources.map(({ scores }) => quietThreshold(scores, shareOf(scores.length), bounds)),
  );
  let loud = loudAt(sources, threshold);
  while (threshold < bounds[1] && loud.length > 0) {
    threshold = Math.min(bounds[1], 1 / (1 + ((1 - threshold) / threshold) * Math.exp(-logitStep)));
    loud = loudAt(sources, threshold);
  }
  const reason =
    `the lowest from ${bounds[0]} to ${bounds[1]} at which of each source at most ${100 * falseAlarmTarget} % of the benign validation ` +
    `windows alarm (one of fewer than ${1 / falseAlarmTarget}), and gateways in peace, of each and of all, give no more alerts than ` +
    `come in ${100 * unlikely} % of cases or more where there is ${alertsPerDay} a day, all of them as if every peer were new when it is first heard` +
    `${loud.length > 0 ? `; out of reach: ${loud.join(', ')}` : ''}. ` +
    `What is left: ${sources.map((source) => whatIsLeft(source, threshold)).join('; ')}`;
  return { threshold, reason };
}

async function quietnessOf(predictor: Predictor, dataset: Dataset): Promise<Quietness[]> {
  const scored = await scoreSequences(
    dataset,
    predictor,
    ({ part, source }) => part === 'validation' && !offices.has(source),
    amongNewcomers,
  );
  const listenings = dataset.listenings.filter(({ part, isAttacked }) => part === 'validation' && !isAttacked);
  const isPeaceful = new Set(listenings.map(({ source, capture }) => `${source}\n${capture}`));
  return [...Map.groupBy(scored, ({ sequence }) => sequence.source)].map(([source, members]) => ({
    source,
    rows: dataset.rows,
    scores: judgedWindows(dataset, members, 1)
      .filter(({ label }) => label === 0)
      .map(({ score }) => score),
    days: listenings.filter((one) => one.source === source).reduce((sum, { seconds }) => sum + seconds, 0) / 86_400,
    peaceful: members.filter(({ sequence }) => isPeaceful.has(`${source}\n${sequence.capture}`)),
  }));
}

/** Names of what tells of more than is let pass; `all together` where no source does by itself. */
function loudAt(sources: readonly Quietness[], threshold: number): string[] {
  const alerts = sources.map((source) => alertsAt(source, threshold));
  const loud = sources.filter(({ days }, index) => alerts[index]! > allowedAlerts(days)).map(({ source }) => source);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const isTooMuch = sum(alerts) > allowedAlerts(sum(sources.map(({ days }) => days)));
  return loud.length === 0 && isTooMuch ? ['all together'] : loud;
}

function shareOf(windows: number): number {
  return Math.max(falseAlarmTarget, 1 / Math.max(1, windows));
}

/** The most that would not be unlikely, of a Poisson process of the rate that may be. */
export function allowedAlerts(days: number): number {
  const mean = days * alertsPerDay;
  let count = 0;
  let term = Math.exp(-mean);
  let fewer = term;
  while (1 - fewer >= unlikely) {
    count += 1;
    term *= mean / count;
    fewer += term;
  }
  return count;
}

function alertsAt({ rows, peaceful }: Quietness, threshold: number): number {
  return peaceful.reduce((sum, one) => sum + alertCount(proofsOf(rows, one, threshold), afterQuiet), 0);
}

/** `range 96 of 104439 windows, 0 alerts in 4.3 hours, which rules out more than 16.7 a day (95 %)`. */
function whatIsLeft(source: Quietness, threshold: number): string {
  const loud = source.scores.filter((score) => score >= threshold).length;
  const alerts = alertsAt(source, threshold);
  const windows = `${source.source} ${loud} of ${source.scores.length} windows`;
  if (source.days === 0) return windows;
  const bound = poissonUpperBound(alerts) / source.days;
  return `${windows}, ${alerts} alert${alerts === 1 ? '' : 's'} in ${(source.days * 24).toFixed(1)} hours, which rules out more than ${bound.toFixed(1)} a day (95 %)`;
}
