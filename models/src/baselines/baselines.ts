/** Everything that the network is measured against, trained on the same flows. */
import { featureCount } from '@picket/shared/features/feature-schema';
import type { Dataset } from '../dataset/flow-rows.ts';
import { seededRandom, shuffle } from '../dataset/seeded-random.ts';
import { averaged, newestOnly } from '../evaluation/predictor.ts';
import type { Predictor } from '../evaluation/predictor.ts';
import { maskedFeatures } from '../network/fit-scaler.ts';
import { classCount } from '../network/network-parameters.ts';
import { binFlows } from './binned-flows.ts';
import { boostedTrees } from './boosted-trees.ts';
import type { LabelledFlows } from './labelled-flows.ts';
import { logisticRegression } from './logistic-regression.ts';
import { randomForest } from './random-forest.ts';
import { strongestFeature } from './single-feature.ts';

/** Flows per class that are learnt from: more change little but the time. */
const mostPerClass = 4000;

/** The port's number is masked for them too: alone it would solve any lab. */
export const usedFeatures: readonly number[] = Array.from({ length: featureCount }, (_, column) => column).filter(
  (column) => column > 0 && !maskedFeatures.includes(column),
);

export function trainBaselines(dataset: Dataset, seed: number, progress: (line: string) => void): Predictor[] {
  const flows = trainingFlows(dataset, seed);
  progress(`baselines learn from ${flows.count} flows`);
  const binned = binFlows(flows, usedFeatures);
  const forest = randomForest(binned, seed);
  progress('forest is grown');
  const boosted = boostedTrees(binned, seed);
  progress('boosted trees are grown');
  const logistic = logisticRegression(flows, usedFeatures, seed);
  return [
    averaged(forest),
    newestOnly(forest),
    averaged(boosted),
    newestOnly(boosted),
    averaged(logistic),
    averaged(strongestFeature(binned)),
    majority(),
  ];
}

/** Drawn by the seed, benign as many as all attacks. */
export function trainingFlows({ rows, sequences }: Dataset, seed: number): LabelledFlows {
  const numbers = new Set<number>();
  for (const { part, windows } of sequences) {
    if (part === 'train') for (const number of windows) if (number >= 0) numbers.add(number);
  }
  const random = seededRandom(seed);
  const byClass = Map.groupBy([...numbers], (number) => rows.classes[number]!);
  const attacks = [...byClass].filter(([label]) => label !== 0);
  const chosen = attacks.flatMap(([, members]) => shuffle(members, random).slice(0, mostPerClass));
  const benign = shuffle(byClass.get(0) ?? [], random).slice(0, Math.max(mostPerClass, chosen.length));
  const all = shuffle([...chosen, ...benign], random);
  const counts = new Float64Array(classCount);
  for (const number of all) counts[rows.classes[number]!]! += 1;
  const features = new Float32Array(all.length * featureCount);
  for (const [index, number] of all.entries()) features.set(rows.row(number), index * featureCount);
  return {
    count: all.length,
    features,
    labels: Uint8Array.from(all, (number) => rows.classes[number]!),
    weights: Float64Array.from(all, (number) => {
      const label = rows.classes[number]!;
      return label === 0 ? 0.5 / counts[0]! : 0.5 / attacks.length / counts[label]!;
    }),
  };
}

/** Calls everything benign, which is all that a high accuracy may mean. */
function majority(): Predictor {
  return {
    name: 'majority (benign)',
    score: ({ count }) => Float32Array.from({ length: count * classCount }, (_, at) => (at % classCount === 0 ? 1 : 0)),
  };
}
