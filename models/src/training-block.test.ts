/** What an adversary does to a batch: to attack windows only, and towards what it was told to. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { expect, test } from 'vitest';
import { seededRandom } from './dataset/seeded-random.ts';
import { WindowSampler } from './dataset/window-sampler.ts';
import { Adversary } from './network/adversary.ts';
import type { Aim } from './network/adversary.ts';
import { uncalibrated, wholeDesign } from './network/cnn-lstm.ts';
import { maskedFeatures, scalerOf } from './network/fit-scaler.ts';
import { initialParameters } from './network/network-parameters.ts';
import { buildPerturbGraph } from './network/perturb-graph.ts';
import { smallDataset } from './testing/small-dataset.ts';
import { attackSome } from './training-block.ts';

/** Numbers with which every attack window is chosen, then what each is perturbed towards, then how far. */
function lotsOf(attacks: number, aims: readonly number[], epsilonShare: number): () => number {
  const numbers = [...Array.from({ length: attacks }, () => 0), ...aims, epsilonShare];
  return () => numbers.shift()!;
}

test('attack windows are perturbed towards benign or away from their class, as is drawn', async () => {
  const dataset = smallDataset();
  const { scaler } = scalerOf(dataset, maskedFeatures);
  const parameters = initialParameters(seededRandom(2));
  const perturb = buildPerturbGraph({ scaler, parameters, calibration: uncalibrated, design: wholeDesign });
  await using adversary = await Adversary.open(perturb);
  const drawn = (): ReturnType<WindowSampler['draw']> =>
    new WindowSampler(dataset, 'train', { random: seededRandom(4) }).draw(40);
  const before = drawn();
  const attacks = [...before.labels.keys()].filter((index) => before.labels[index] !== 0);
  expect(attacks.length).toBeGreaterThan(4);

  const block = drawn();
  const aims = attacks.map((_, at): Aim => (at % 2 === 0 ? 'benign' : 'another-class'));
  const lots = aims.map((aim) => (aim === 'benign' ? 0.4 : 0.6));
  await attackSome(block, adversary, { adversarial: 1, unseen: 0.5 }, lotsOf(attacks.length, lots, 1));

  const size = windowLength * featureCount;
  const windowOf = (windows: Float32Array, index: number): Float32Array =>
    windows.slice(index * size, (index + 1) * size);
  const expected: Readonly<Record<Aim, Float32Array>> = {
    benign: await adversary.perturb(before, 0.15, 1, 'benign'),
    'another-class': await adversary.perturb(before, 0.15),
  };
  for (const index of before.labels.keys()) {
    const aim = aims[attacks.indexOf(index)];
    expect(windowOf(block.windows, index)).toEqual(windowOf(aim === undefined ? before.windows : expected[aim], index));
  }
  expect(expected.benign).not.toEqual(expected['another-class']);
});
