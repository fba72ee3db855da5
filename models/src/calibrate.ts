/** Temperature and threshold, both from validation data: so that 0.9 means nine in ten, and quiet means quiet. */
import { alertCount, proofsOf } from './evaluation/alarms.ts';
import { evaluationWindows } from './dataset/evaluation-windows.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import type { Predictor } from './evaluation/predictor.ts';
import { judgedWindows, scoreSequences } from './evaluation/scored-sequences.ts';
import { crossEntropy, mostExpected, quietThreshold } from './metrics.ts';
import { buildDetectGraph } from './network/bundle-graphs.ts';
import type { TrainedNetwork } from './network/cnn-lstm.ts';
import { scoreWindows } from './network/scorer.ts';

/** Share of benign validation windows that may alarm, and the bounds of the threshold in any case. */
export const falseAlarmTarget = 0.001;
export const thresholdBounds = [0.5, 0.9999] as const;
/** Of a gateway in peace. */
const alertsPerDay = 1;
/** Steps in which the threshold is raised, in logits. */
const logitStep = 0.1;

/** A source whose hosts are no devices: its benign part was an office, partly infected. It has no say in quietness. */
const offices: ReadonlySet<string> = new Set(['cicids2017']);

/** Logits are divided by it. Windows as they were, attack and benign weighing the same. */
export async function fitTemperature(network: TrainedNetwork, dataset: Dataset): Promise<number> {
  const windows = evaluationWindows(dataset, 'validation', 500);
  const attacks = windows.labels.filter((label) => label !== 0).length;
  const weights = Float64Array.from(windows.labels, (label) =>
    label === 0 ? 0.5 / Math.max(1, windows.count - attacks) : 0.5 / Math.max(1, attacks),
  );
  const probabilities = await scoreWindows(buildDetectGraph({ ...network, temperature: 1 }), windows);
  const candidates = Array.from({ length: 41 }, (_, index) => 0.4 * 1.06 ** index);
  const losses = candidates.map((candidate) => crossEntropy(probabilities, windows.labels, candidate, weights));
  return candidates[losses.indexOf(Math.min(...losses))]!;
}

/**
 * The lowest threshold at which benign validation windows stay quiet one by one, and gateways that nobody attacks give no
 * more alerts of N of M than one a day may give by chance: a few hours can say no more than that.
 */
export async function chooseThreshold(
  predictor: Predictor,
  dataset: Dataset,
  bounds: readonly [number, number] = thresholdBounds,
): Promise<{ readonly threshold: number; readonly reason: string }> {
  const scored = await scoreSequences(
    dataset,
    predictor,
    ({ part, source }) => part === 'validation' && !offices.has(source),
  );
  const scores = judgedWindows(dataset, scored, 1)
    .filter(({ label }) => label === 0)
    .map(({ score }) => score);
  const quietWindows = quietThreshold(scores, falseAlarmTarget, bounds);

  const peaceful = dataset.listenings.filter(({ part, isAttacked }) => part === 'validation' && !isAttacked);
  const isPeaceful = new Set(peaceful.map(({ source, capture }) => `${source}\n${capture}`));
  const inPeace = scored.filter(({ sequence }) => isPeaceful.has(`${sequence.source}\n${sequence.capture}`));
  const days = peaceful.reduce((sum, { seconds }) => sum + seconds, 0) / 86_400;
  const alertsAt = (threshold: number): number =>
    inPeace.reduce((sum, one) => sum + alertCount(proofsOf(one.sequence, one.probabilities, threshold)), 0);
  let threshold = quietWindows;
  let alerts = alertsAt(threshold);
  const allowed = mostExpected(days * alertsPerDay);
  while (alerts > allowed && threshold < bounds[1]) {
    threshold = Math.min(bounds[1], 1 / (1 + ((1 - threshold) / threshold) * Math.exp(-logitStep)));
    alerts = alertsAt(threshold);
  }
  const share = scores.filter((score) => score >= threshold).length / Math.max(1, scores.length);
  const reason =
    `the lowest from ${bounds[0]} to ${bounds[1]} at which at most ${100 * falseAlarmTarget} % of the benign validation windows ` +
    `alarm (${quietWindows.toFixed(4)}) and gateways in peace give no more alerts than ${alertsPerDay} a day may give by chance ` +
    `(${allowed} in ${(days * 24).toFixed(1)} hours, 95 %): ${(100 * share).toFixed(3)} % and ${alerts} are left`;
  return { threshold, reason };
}
