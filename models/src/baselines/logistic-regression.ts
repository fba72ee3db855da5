/**
 * What the network must beat: logistic regression on single flows over the same standardised features, averaged over
 * the window. It knows no order and no neighbours.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import type { EvaluationWindows } from '../dataset/evaluation-windows.ts';
import { evaluationWindows } from '../dataset/evaluation-windows.ts';
import type { Dataset, Part } from '../dataset/flow-rows.ts';
import { seededRandom, shuffle } from '../dataset/seeded-random.ts';
import { classFigures, falseAlarmShare, macroF1, precisionRecallArea, quietThreshold } from '../metrics.ts';
import { classCount } from '../network/cnn-lstm.ts';
import type { Scaler } from '../network/cnn-lstm.ts';
import { fitScaler } from '../network/fit-scaler.ts';
import { falseAlarmTarget, thresholdBounds } from '../train-model.ts';

const epochs = 6;
/** Flows that it learns from, drawn by the seed: more change nothing but the time. */
const mostFlows = 30_000;
const learningRate = 0.02;
const decay = 1e-4;
const clip = 6;

export interface BaselineFigures {
  readonly name: string;
  readonly macro_f1: number;
  readonly pr_auc: number;
  readonly false_alarm_share: number;
  /** Of all attack windows, at a threshold chosen as the network's is. */
  readonly recall: number;
}

export function logisticBaseline(dataset: Dataset, test: EvaluationWindows, seed: number): BaselineFigures {
  const flows = shuffle(flowsOf(dataset, 'train'), seededRandom(seed)).slice(0, mostFlows);
  const scaler = fitScaler(dataset.rows.features, balancedWeights(dataset, flows));
  const weights = train(dataset, flows, scaler, seed);
  const validation = evaluationWindows(dataset, 'validation');
  const validationScores = windowProbabilities(weights, scaler, validation).map((row) => 1 - row[0]!);
  const quiet = quietThreshold(
    validationScores.filter((_, index) => validation.labels[index] === 0),
    falseAlarmTarget,
    thresholdBounds,
  );
  const rows = windowProbabilities(weights, scaler, test);
  const scores = rows.map((row) => 1 - row[0]!);
  const predicted = rows.map((row, index) => (scores[index]! < quiet ? 0 : 1 + indexOfLargest(row.slice(1))));
  const attacks = scores.filter((_, index) => test.labels[index] !== 0);
  return {
    name: 'logistic regression on single flows, averaged over the window',
    macro_f1: macroF1(classFigures(test.labels, predicted, classCount), 20),
    pr_auc: precisionRecallArea(scores, (index) => test.labels[index] !== 0),
    false_alarm_share: falseAlarmShare(scores, (index) => test.labels[index] === 0, quiet),
    recall: attacks.filter((score) => score >= quiet).length / Math.max(1, attacks.length),
  };
}

/** Row numbers of the flows of a part, each once. */
function flowsOf({ sequences }: Dataset, part: Part): number[] {
  const numbers = new Set<number>();
  for (const sequence of sequences) {
    if (sequence.part === part) for (const number of sequence.windows) if (number >= 0) numbers.add(number);
  }
  return [...numbers];
}

/** Every class weighs the same. */
function balancedWeights({ rows }: Dataset, flows: readonly number[]): Float64Array {
  const counts = new Float64Array(classCount);
  for (const flow of flows) counts[rows.classes[flow]!]! += 1;
  const weights = new Float64Array(rows.count);
  for (const flow of flows) weights[flow] = 1 / counts[rows.classes[flow]!]!;
  return weights;
}

/** classes × (78 + 1), the last column the bias. */
function train(dataset: Dataset, flows: number[], scaler: Scaler, seed: number): Float64Array {
  const random = seededRandom(seed);
  const weights = new Float64Array(classCount * (featureCount + 1));
  const balance = balancedWeights(dataset, flows);
  const total = flows.length / classCount;
  const input = new Float64Array(featureCount);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = learningRate / (1 + epoch);
    for (const flow of shuffle([...flows], random)) {
      standardise(dataset.rows.row(flow), 0, scaler, input);
      const row = softmax(weights, input);
      const weight = Math.min(10, balance[flow]! * total) * rate;
      for (let index = 0; index < classCount; index++) {
        const error = (row[index]! - (dataset.rows.classes[flow] === index ? 1 : 0)) * weight;
        const start = index * (featureCount + 1);
        for (let column = 0; column < featureCount; column++) {
          weights[start + column]! -= error * input[column]! + rate * decay * weights[start + column]!;
        }
        weights[start + featureCount]! -= error;
      }
    }
  }
  return weights;
}

function windowProbabilities(weights: Float64Array, scaler: Scaler, windows: EvaluationWindows): number[][] {
  const input = new Float64Array(featureCount);
  return Array.from({ length: windows.count }, (_, window) => {
    const mean = new Float64Array(classCount);
    const flows = windows.flowsSeen[window]!;
    for (let slot = windowLength - flows; slot < windowLength; slot++) {
      standardise(windows.windows, (window * windowLength + slot) * featureCount, scaler, input);
      for (const [index, value] of softmax(weights, input).entries()) mean[index]! += value / flows;
    }
    return [...mean];
  });
}

function standardise(values: Float32Array, offset: number, scaler: Scaler, into: Float64Array): void {
  for (let column = 0; column < featureCount; column++) {
    const value = (Math.log1p(Math.max(0, values[offset + column]!)) - scaler.mean[column]!) * scaler.scale[column]!;
    into[column] = Math.max(-clip, Math.min(clip, value));
  }
}

function softmax(weights: Float64Array, input: Float64Array): number[] {
  const logits = Array.from({ length: classCount }, (_, index) => {
    const start = index * (featureCount + 1);
    let sum = weights[start + featureCount]!;
    for (let column = 0; column < featureCount; column++) sum += weights[start + column]! * input[column]!;
    return sum;
  });
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

function indexOfLargest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
