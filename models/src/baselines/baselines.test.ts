import { featureCount } from '@picket/shared/features/feature-schema';
import { expect, test } from 'vitest';
import { seededRandom } from '../dataset/seeded-random.ts';
import type { FlowClassifier } from '../evaluation/predictor.ts';
import type { LabelledFlows } from './labelled-flows.ts';
import { usedFeatures } from './baselines.ts';
import { binFlows } from './binned-flows.ts';
import { boostedTrees } from './boosted-trees.ts';
import { logisticRegression } from './logistic-regression.ts';
import { randomForest } from './random-forest.ts';
import { strongestFeature } from './single-feature.ts';

/** Three classes: by column 5, and within the larger half by an exclusive or of columns 7 and 9, which no line can cut. */
function flows(count: number, seed: number): LabelledFlows {
  const random = seededRandom(seed);
  const features = Float32Array.from({ length: count * featureCount }, () => 100 * random());
  const labels = Uint8Array.from({ length: count }, (_, flow) => {
    const at = (column: number): boolean => features[flow * featureCount + column]! > 50;
    return at(5) ? 0 : at(7) === at(9) ? 1 : 4;
  });
  return { count, features, labels, weights: new Float64Array(count).fill(1 / count) };
}

function accuracy(classifier: FlowClassifier, { count, features, labels }: LabelledFlows): number {
  let right = 0;
  for (let flow = 0; flow < count; flow++) {
    const row = Array.from(classifier.classify(features, flow * featureCount));
    expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6);
    if (row.indexOf(Math.max(...row)) === labels[flow]) right += 1;
  }
  return right / count;
}

const training = flows(2500, 1);
const unseen = flows(600, 2);
const binned = binFlows(training, usedFeatures);

test('trees learn what no line can cut, on flows they never saw', { timeout: 600_000 }, () => {
  expect(accuracy(randomForest(binned, 1), unseen)).toBeGreaterThan(0.72);
  expect(accuracy(boostedTrees(binned, 1), unseen)).toBeGreaterThan(0.78);
});

test('a line learns what a line can cut, and one feature the half that it decides', () => {
  const logistic = accuracy(logisticRegression(training, usedFeatures, 1), unseen);
  expect(logistic).toBeGreaterThan(0.6);
  expect(logistic).toBeLessThan(0.9);
  const single = strongestFeature(binned);
  expect(accuracy(single, unseen)).toBeGreaterThan(0.6);
});

test('the masked features and the port are no features', () => {
  expect(usedFeatures).not.toContain(0);
  expect(usedFeatures).not.toContain(66);
  expect(usedFeatures.length).toBe(63);
});
