/** Trains the network: seeded, resumable, with early stopping, calibration and threshold on validation data. */
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { calibrationOf, chooseThreshold } from './calibrate.ts';
import { readCheckpoint, removeCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { groupOf } from './dataset/flow-rows.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import { seededRandom } from './dataset/seeded-random.ts';
import { evaluationWindows } from './dataset/evaluation-windows.ts';
import { amongNewcomers } from './dataset/window-familiarity.ts';
import { usualShares } from './dataset/sampler-shares.ts';
import { WindowSampler } from './dataset/window-sampler.ts';
import { withoutClasses } from './dataset/without-classes.ts';
import type { SamplerShares } from './dataset/sampler-shares.ts';
import { quietRecall } from './metrics.ts';
import { Adversary } from './network/adversary.ts';
import { buildDetectGraph, buildTrainGraph } from './network/bundle-graphs.ts';
import { uncalibrated, wholeDesign } from './network/cnn-lstm.ts';
import type { Calibration, NetworkDesign, TrainedNetwork } from './network/cnn-lstm.ts';
import { maskedFeatures, scalerOf } from './network/fit-scaler.ts';
import { classCount, initialParameters } from './network/network-parameters.ts';
import { buildPerturbGraph } from './network/perturb-graph.ts';
import { Scorer, scoreWindows } from './network/scorer.ts';
import type { ScorableWindows } from './network/scorer.ts';
import { Trainer } from './network/trainer.ts';
import { hardNegatives } from './training-block.ts';
import type { AttackShares } from './training-block.ts';
import { trainEpoch } from './training-epoch.ts';
import { describeData } from './data-description.ts';
import { dataFingerprint } from './data-fingerprint.ts';
import { pack } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';

/** What may be changed to see what it is good for; the usual values are what ships. */
export interface TrainingRecipe extends AttackShares {
  readonly design: NetworkDesign;
  readonly shares: SamplerShares;
  /** Share of the summary that is dropped at each step. */
  readonly dropout: number;
  readonly masked: readonly number[];
}

export const usualRecipe: TrainingRecipe = {
  design: wholeDesign,
  shares: usualShares,
  dropout: 0.45,
  adversarial: 0.2,
  unseen: 0.5,
  masked: maskedFeatures,
};

export interface TrainingOptions {
  readonly seed: number;
  readonly epochs: number;
  readonly threads: number;
  /** Of 256 windows each; fewer make a quick try. */
  readonly stepsPerEpoch?: number;
  /** Nothing of these is learnt from or tuned on. */
  readonly leftOutClasses?: readonly TrafficClass[];
  /** Where the state after each epoch is kept; left out: nowhere. */
  readonly checkpoint?: string;
  readonly recipe?: TrainingRecipe;
}

export const usualSteps = 200;
export const batchSize = 256;
const peakLearningRate = 0.002;
/** Windows that are looked at of one device in one capture. */
const mostValidation = 1000;
/** What early stopping looks at: recall where so many benign windows alarm. */
const quietShares = [0.0005, 0.001, 0.002, 0.005];
/** Epochs without progress before training ends. */
const patience = 8;

export async function trainModel(
  given: Dataset,
  options: TrainingOptions,
  progress: (line: string) => void,
): Promise<TrainingRecord> {
  const recipe = options.recipe ?? usualRecipe;
  const steps = options.stepsPerEpoch ?? usualSteps;
  const leftOut = options.leftOutClasses ?? [];
  const dataset = withoutClasses(given, leftOut);
  const { scaler, typical } = scalerOf(dataset, recipe.masked);
  const initial = initialParameters(seededRandom(options.seed));
  // Each epoch's numbers depend on the seed and the epoch alone, so that a resumed run is the same run.
  let random = seededRandom(options.seed);
  const sampler = new WindowSampler(dataset, 'train', { random: () => random(), shares: recipe.shares, typical });
  const validation = evaluationWindows(dataset, 'validation', mostValidation, amongNewcomers);
  const validationGroups = validation.sequences.map(groupOf);
  const network = (parameters: Float32Array): TrainedNetwork => {
    return { scaler, parameters, calibration: uncalibrated, design: recipe.design };
  };
  const data = dataFingerprint(dataset);
  const fingerprint = [data, JSON.stringify(recipe), options.seed, options.epochs, steps, ...leftOut].join(' ');
  const resumed =
    options.checkpoint === undefined ? undefined : readCheckpoint(options.checkpoint, fingerprint, progress);
  const epochs: TrainingRecord['epochs'] = resumed?.epochs ?? [];
  let best: Checkpoint['best'] = resumed?.best ?? { recall: -1, parameters: initial, epoch: 0 };
  let average: Float32Array<ArrayBuffer> = resumed?.average ?? initial;
  if (resumed !== undefined) progress(`going on after epoch ${epochs.length}`);
  {
    await using trainer = await Trainer.open(
      buildTrainGraph(scaler, initial, recipe.design),
      options.threads,
      resumed?.state,
    );
    for (let epoch = epochs.length + 1; epoch <= options.epochs && epoch - best.epoch <= patience; epoch++) {
      const startedAt = performance.now();
      random = seededRandom(options.seed * 10_007 + epoch);
      const current = network(initial.map((value, index) => value + trainer.state.delta[index]!));
      if (epoch > 1) sampler.dwellOn(await hardNegatives(sampler, dataset, network(average)));
      await using adversary = await Adversary.open(buildPerturbGraph(current));
      const ramp = 0.5 * (1 + Math.cos((Math.PI * (epoch - 1)) / options.epochs));
      const learningRate = peakLearningRate * (0.03 + 0.97 * ramp);
      const { loss, average: now } = await trainEpoch(trainer, initial, average, {
        steps,
        draw: () => sampler.draw(batchSize),
        adversary: epoch > 1 && recipe.adversarial > 0 ? adversary : undefined,
        shares: recipe,
        dropout: recipe.dropout,
        learningRate,
        random,
      });
      average = now;
      const probabilities = await scoreWindows(buildDetectGraph(network(average)), validation);
      const scores = Float32Array.from(validation.labels, (_, index) => 1 - probabilities[index * classCount]!);
      const recall = quietRecall(scores, validation.labels, validationGroups, quietShares);
      epochs.push({ epoch, loss, validation_recall: recall });
      if (recall > best.recall) best = { recall, parameters: average, epoch };
      const seconds = (performance.now() - startedAt) / 1000;
      progress(
        `epoch ${epoch}: loss ${loss.toFixed(4)}, recall while quiet ${recall.toFixed(4)}, ${seconds.toFixed(1)} s`,
      );
      if (options.checkpoint !== undefined) {
        writeCheckpoint(options.checkpoint, fingerprint, { epochs, best, average, state: trainer.state });
      }
    }
  }
  const { parameters } = best;
  progress(`best epoch ${best.epoch}`);
  const fitted = await calibrated(network(parameters), dataset, progress);
  if (options.checkpoint !== undefined) removeCheckpoint(options.checkpoint);
  return {
    seed: options.seed,
    data: describeData(dataset, leftOut).filter(({ part }) => part !== 'test'),
    data_fingerprint: data,
    left_out_classes: [...leftOut],
    tuned_to: [],
    epochs,
    best_epoch: best.epoch,
    ...fitted,
    masked_features: [...recipe.masked],
    design: recipe.design,
    mean: pack(scaler.mean),
    scale: pack(scaler.scale),
    ceiling: pack(scaler.ceiling),
    parameters: pack(parameters),
  };
}

/** What is chosen once the weights are: what scores mean, and the threshold. */
export async function calibrated(
  network: TrainedNetwork,
  dataset: Dataset,
  progress: (line: string) => void,
): Promise<Pick<TrainingRecord, 'threshold' | 'threshold_reason' | keyof Calibration>> {
  const calibration = await calibrationOf(network, dataset);
  await using scorer = await Scorer.open(buildDetectGraph({ ...network, calibration }));
  const predictor = { name: 'network', score: (windows: ScorableWindows) => scorer.score(windows) };
  const { threshold, reason } = await chooseThreshold(predictor, dataset);
  const { temperature, offset } = calibration;
  progress(`temperature ${temperature.toFixed(2)}, offset ${offset.toFixed(2)}, threshold ${threshold.toFixed(5)}`);
  return { threshold, threshold_reason: reason, ...calibration };
}
