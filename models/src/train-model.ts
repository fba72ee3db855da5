/** Trains the network: seeded, with early stopping and calibration on validation data. */
import { windowLength } from '@picket/shared/features/feature-schema';
import { evaluationWindows } from './dataset/evaluation-windows.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import { seededRandom } from './dataset/seeded-random.ts';
import { WindowSampler } from './dataset/window-sampler.ts';
import type { WindowBlock } from './dataset/window-sampler.ts';
import { quietThreshold } from './metrics.ts';
import { buildDetectGraph, buildTrainGraph } from './network/bundle-graphs.ts';
import { classCount, initialParameters } from './network/cnn-lstm.ts';
import type { Scaler } from './network/cnn-lstm.ts';
import { fitScaler, maskedFeatures } from './network/fit-scaler.ts';
import { scoreWindows } from './network/scorer.ts';
import { Trainer } from './network/trainer.ts';
import { pack } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';

export interface TrainingOptions {
  readonly seed: number;
  readonly epochs: number;
  readonly threads: number;
}

const stepsPerEpoch = 200;
const batchSize = 256;
const peakLearningRate = 0.002;
const clipNorm = 2;
const validationSize = 6000;
/** Epochs without progress before training ends. */
const patience = 8;
/** Share of a window's target that goes to the other classes: nothing is quite certain. */
const smoothing = 0.02;
/**
 * Share of benign validation windows that may alarm, and the bounds of the threshold in any case: beyond the upper one,
 * every attack would pay for the one device type that resembles it.
 */
export const falseAlarmTarget = 0.001;
export const thresholdBounds = [0.5, 0.9] as const;

export async function trainModel(
  dataset: Dataset,
  options: TrainingOptions,
  progress: (line: string) => void,
): Promise<TrainingRecord> {
  const random = seededRandom(options.seed);
  const scaler = scalerOf(dataset);
  const initial = initialParameters(random);
  const sampler = new WindowSampler(dataset, 'train', random);
  const validation = new WindowSampler(dataset, 'validation', seededRandom(options.seed + 1)).draw(validationSize);
  const epochs: TrainingRecord['epochs'] = [];
  let best = { loss: Number.POSITIVE_INFINITY, parameters: initial, epoch: 0 };
  {
    await using trainer = await Trainer.open(buildTrainGraph(scaler, initial), options.threads);
    for (let epoch = 1; epoch <= options.epochs && epoch - best.epoch <= patience; epoch++) {
      const startedAt = performance.now();
      const learningRate =
        peakLearningRate * (0.05 + 0.95 * 0.5 * (1 + Math.cos((Math.PI * (epoch - 1)) / options.epochs)));
      let loss = 0;
      for (let step = 0; step < stepsPerEpoch; step++) {
        const block = sampler.draw(batchSize);
        const targets = smoothTargets(block);
        loss += (await trainer.step({ ...block, targets }, { learningRate, clipNorm, proximal: 0 })) / stepsPerEpoch;
      }
      const parameters = initial.map((value, index) => value + trainer.delta[index]!);
      const probabilities = await scoreWindows(buildDetectGraph({ scaler, parameters, temperature: 1 }), validation);
      const validationLoss = crossEntropy(probabilities, validation.labels, 1);
      epochs.push({ epoch, loss, validation_loss: validationLoss });
      if (validationLoss < best.loss) best = { loss: validationLoss, parameters, epoch };
      const seconds = (performance.now() - startedAt) / 1000;
      progress(
        `epoch ${epoch}: loss ${loss.toFixed(4)}, validation ${validationLoss.toFixed(4)}, ${seconds.toFixed(1)} s`,
      );
    }
  }
  const { parameters } = best;
  const temperature = await fitTemperature({ scaler, parameters }, validation);
  const detect = buildDetectGraph({ scaler, parameters, temperature });
  const threshold = await chooseThreshold(detect, dataset);
  progress(`best epoch ${best.epoch}, temperature ${temperature.toFixed(2)}, threshold ${threshold.toFixed(3)}`);
  return {
    seed: options.seed,
    data: describeData(dataset),
    epochs,
    threshold,
    temperature,
    masked_features: [...maskedFeatures],
    mean: pack(scaler.mean),
    scale: pack(scaler.scale),
    parameters: pack(parameters),
  };
}

/** Over training flows, benign and attack weighing the same. */
function scalerOf({ rows, sequences }: Dataset): Scaler {
  const used = new Uint8Array(rows.count);
  for (const { part, windows } of sequences) {
    if (part === 'train') for (const number of windows) if (number >= 0) used[number] = 1;
  }
  let benign = 0;
  let attack = 0;
  for (let row = 0; row < rows.count; row++) {
    if (used[row] === 0) continue;
    if (rows.classes[row] === 0) benign += 1;
    else attack += 1;
  }
  const weights = Float64Array.from(used, (is, row) =>
    is === 0 ? 0 : 1 / (rows.classes[row] === 0 ? benign : attack),
  );
  return fitScaler(rows.features, weights);
}

function smoothTargets(block: WindowBlock): Float32Array {
  const targets = new Float32Array(block.count * classCount).fill(smoothing / classCount);
  for (const [index, label] of block.labels.entries()) targets[index * classCount + label]! += 1 - smoothing;
  return targets;
}

/** Mean negative logarithm of the true class's probability, after the temperature is applied to the probabilities. */
function crossEntropy(probabilities: Float32Array, labels: Uint8Array, temperature: number): number {
  let sum = 0;
  for (const [index, label] of labels.entries()) {
    const row = Array.from(
      probabilities.subarray(index * classCount, (index + 1) * classCount),
      (value) => Math.max(value, 1e-9) ** (1 / temperature),
    );
    sum -= Math.log(row[label]! / row.reduce((total, value) => total + value, 0));
  }
  return sum / labels.length;
}

async function fitTemperature(
  network: { readonly scaler: Scaler; readonly parameters: Float32Array },
  validation: WindowBlock,
): Promise<number> {
  const probabilities = await scoreWindows(buildDetectGraph({ ...network, temperature: 1 }), validation);
  const candidates = Array.from({ length: 31 }, (_, index) => 0.5 * 1.06 ** index);
  const losses = candidates.map((candidate) => crossEntropy(probabilities, validation.labels, candidate));
  return candidates[losses.indexOf(Math.min(...losses))]!;
}

/**
 * Quiet on the benign validation windows as they were, of every source but the office network of CIC-IDS2017: a
 * gateway guards devices, and some of those office hosts were infected while their flows were labelled benign.
 */
async function chooseThreshold(detect: Buffer, dataset: Dataset): Promise<number> {
  const windows = evaluationWindows(dataset, 'validation');
  const probabilities = await scoreWindows(detect, windows);
  const benign = [...windows.labels.keys()].filter(
    (index) => windows.labels[index] === 0 && !windows.groups[index]!.startsWith('cicids2017 '),
  );
  return quietThreshold(
    benign.map((index) => 1 - probabilities[index * classCount]!),
    falseAlarmTarget,
    thresholdBounds,
  );
}

function describeData({ sequences }: Dataset): TrainingRecord['data'] {
  const byKey = Map.groupBy(sequences, ({ source, part }) => `${source} ${part}`);
  return [...byKey.values()].map((members) => ({
    source: members[0]!.source,
    part: members[0]!.part,
    groups: [...new Set(members.map(({ group }) => group))].sort(),
    windows: members.reduce((sum, { windows }) => sum + windows.length / windowLength, 0),
  }));
}
