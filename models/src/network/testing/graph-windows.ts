/** Six windows of all kinds with their labels, a network with random weights, and what it takes to run its graphs. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { seededRandom } from '../../dataset/seeded-random.ts';
import { classCount, initialParameters, parameterCount, summaryWidth } from '../network-parameters.ts';

export const random = seededRandom(7);
export const scaler = {
  // Of some even the smallest value saturates.
  mean: Float32Array.from({ length: featureCount }, (_, index) => (index % 7 === 3 ? 15 : 3 * random())),
  scale: Float32Array.from({ length: featureCount }, (_, index) => (index % 9 === 0 ? 0 : 0.3 + random())),
  ceiling: Float32Array.from({ length: featureCount }, () => 1.5 + 4 * random()),
};
export const parameters = initialParameters(random);
export const batch = 6;
export const windows = Float32Array.from({ length: batch * windowLength * featureCount }, () =>
  Math.expm1(6 * random()),
);
export const flowsSeen = Float32Array.of(10, 1, 4, 10, 7, 2);
/** Ages, peers that repeat, directions; of some nothing is known. */
export const flowContext = Float32Array.from({ length: batch * flowContextSize }, (_, index) => {
  if (random() < 0.15) return -1;
  const [age, few, recent] = [Math.expm1(6 * random()), Math.floor(3 * random()), 100 * random() ** 3];
  return [age, few, few, recent, recent, 7 * age, 9 * age][index % flowContextWidth]!;
});
export const targets = new Float32Array(batch * classCount);
/** Of the flows of some windows nobody says what they are. */
export const flowTargets = new Float32Array(batch * windowLength * classCount);
// Ports that repeat within a window, as they do in life.
for (let at = 0; at < windows.length; at += featureCount) windows[at] = [22, 80, 443][Math.floor(3 * random())]!;
export const keep = Float32Array.from({ length: batch * summaryWidth }, () => (random() < 0.2 ? 0 : 1.25));
export const ones = new Float32Array(batch * summaryWidth).fill(1);
for (let row = 0; row < batch; row++) {
  targets[row * classCount + ((row * 5) % classCount)] = 1 + (row % 3);
  if (row % 3 === 1) continue;
  for (let slot = windowLength - flowsSeen[row]!; slot < windowLength; slot++)
    flowTargets[(row * windowLength + slot) * classCount + ((row + slot * 7) % classCount)] = 0.5 + (slot % 2);
}

/** A session of one graph. */
export async function open(model: Buffer): Promise<InferenceSession> {
  return InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
}

export function floats(values: Float32Array, shape: number[]): Tensor {
  return new Tensor('float32', values, shape);
}

/** What every graph takes of the windows. */
export function windowFeeds(values = windows, context = flowContext): Record<string, Tensor> {
  return {
    windows: floats(values, [batch, windowLength, featureCount]),
    flows_seen: floats(flowsSeen, [batch]),
    flow_context: floats(context, [batch, windowLength, flowContextWidth]),
  };
}

/** One step from a momentum of zeros, nothing clipped. */
export async function trainStep(
  session: InferenceSession,
  delta: Float32Array,
  kept = ones,
  proximal = 0,
): Promise<InferenceSession.OnnxValueMapType> {
  const zeros = new Float32Array(parameterCount);
  return session.run({
    ...windowFeeds(),
    targets: floats(targets, [batch, classCount]),
    flow_targets: floats(flowTargets, [batch, windowLength, classCount]),
    keep: floats(kept, [batch, summaryWidth]),
    delta: floats(delta, [parameterCount]),
    momentum: floats(zeros, [parameterCount]),
    velocity: floats(zeros, [parameterCount]),
    learning_rate: floats(Float32Array.of(0.001), []),
    clip_norm: floats(Float32Array.of(1e9), []),
    proximal: floats(Float32Array.of(proximal), []),
  });
}

export function values(result: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  return result[name]!.data as Float32Array;
}
