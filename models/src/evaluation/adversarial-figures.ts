/** How much recall an attacker can take away by waiting longer and padding what it sends. */
import type { Dataset, Part } from '../dataset/flow-rows.ts';
import { Adversary } from '../network/adversary.ts';
import { buildDetectGraph } from '../network/bundle-graphs.ts';
import type { TrainedNetwork } from '../network/cnn-lstm.ts';
import { classCount } from '../network/network-parameters.ts';
import { buildPerturbGraph } from '../network/perturb-graph.ts';
import { Scorer } from '../network/scorer.ts';
import { blockOf, joinedBlocks } from '../dataset/window-block.ts';
import type { AdversarialFigures } from './evaluation.ts';
import { probeSource } from './probes.ts';

const epsilons = [0.1, 0.25, 0.5];
const pgdSteps = 10;

export async function adversarialFigures(
  dataset: Dataset,
  part: Part,
  source: string,
  network: TrainedNetwork,
  threshold: number,
): Promise<AdversarialFigures[]> {
  const { attacks } = probeSource(dataset, part, source, 7);
  const blocks = attacks.map((windows, label) => blockOf(dataset.rows, windows, label));
  const block = joinedBlocks(blocks.filter(({ count }) => count > 0));
  if (block.count === 0) return [];
  await using scorer = await Scorer.open(buildDetectGraph(network));
  await using adversary = await Adversary.open(buildPerturbGraph(network));
  const recallOf = async (windows: Float32Array): Promise<number> => {
    const probabilities = await scorer.score({ ...block, windows });
    return block.labels.filter((_, index) => 1 - probabilities[index * classCount]! >= threshold).length / block.count;
  };
  const recall = await recallOf(block.windows);
  const figures: AdversarialFigures[] = [];
  for (const epsilon of epsilons) {
    figures.push({
      epsilon,
      windows: block.count,
      recall,
      recall_fgsm: await recallOf(await adversary.perturb(block, epsilon)),
      recall_pgd: await recallOf(await adversary.perturb(block, epsilon, pgdSteps)),
      recall_fgsm_unseen: await recallOf(await adversary.perturb(block, epsilon, 1, 'benign')),
      recall_pgd_unseen: await recallOf(await adversary.perturb(block, epsilon, pgdSteps, 'benign')),
    });
  }
  return figures;
}
