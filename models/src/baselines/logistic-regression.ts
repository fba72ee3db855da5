/** Logistic regression on single flows over the standardised features: it knows no order and no neighbours. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { seededRandom, shuffle } from '../dataset/seeded-random.ts';
import type { FlowClassifier } from '../evaluation/predictor.ts';
import { fitScaler } from '../network/fit-scaler.ts';
import { classCount } from '../network/network-parameters.ts';
import { clipLimit } from '../network/prepare-windows.ts';
import type { Scaler } from '../network/prepare-windows.ts';
import type { LabelledFlows } from './labelled-flows.ts';

const epochs = 8;
const learningRate = 0.02;
const decay = 1e-4;
const mostWeight = 10;

export function logisticRegression(flows: LabelledFlows, columns: readonly number[], seed: number): FlowClassifier {
  const masked = Array.from({ length: featureCount }, (_, column) => column).filter(
    (column) => !columns.includes(column),
  );
  const scaler = fitScaler(flows.features, flows.weights, masked);
  const random = seededRandom(seed);
  // classes × (78 + 1), the last column the bias.
  const weights = new Float64Array(classCount * (featureCount + 1));
  const input = new Float64Array(featureCount);
  const order = Array.from({ length: flows.count }, (_, flow) => flow);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = learningRate / (1 + epoch);
    for (const flow of shuffle(order, random)) {
      standardise(flows.features, flow * featureCount, scaler, input);
      const row = softmax(weights, input);
      const weight = Math.min(mostWeight, flows.weights[flow]! * flows.count) * rate;
      for (let index = 0; index < classCount; index++) {
        const error = (row[index]! - (flows.labels[flow] === index ? 1 : 0)) * weight;
        const start = index * (featureCount + 1);
        for (let column = 0; column < featureCount; column++) {
          weights[start + column]! -= error * input[column]! + rate * decay * weights[start + column]!;
        }
        weights[start + featureCount]! -= error;
      }
    }
  }
  return {
    name: 'logistic regression',
    classify: (features, offset) => {
      standardise(features, offset, scaler, input);
      return softmax(weights, input);
    },
  };
}

function standardise(values: Float32Array, offset: number, scaler: Scaler, into: Float64Array): void {
  for (let column = 0; column < featureCount; column++) {
    const value = (Math.log1p(Math.max(0, values[offset + column]!)) - scaler.mean[column]!) * scaler.scale[column]!;
    into[column] = Math.max(-clipLimit, Math.min(scaler.ceiling[column]!, value));
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
