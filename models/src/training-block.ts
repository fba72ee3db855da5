/** What happens to windows between being drawn and being learnt from: mined, attacked, softened, partly dropped. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize } from '@picket/shared/features/flow-context';
import type { Dataset } from './dataset/flow-rows.ts';
import { blockOf, noFlow } from './dataset/window-block.ts';
import type { WindowBlock } from './dataset/window-block.ts';
import { amongNewcomers } from './dataset/window-familiarity.ts';
import type { WindowSampler } from './dataset/window-sampler.ts';
import type { Adversary, Aim } from './network/adversary.ts';
import { buildDetectGraph } from './network/bundle-graphs.ts';
import type { TrainedNetwork } from './network/cnn-lstm.ts';
import { classCount, summaryWidth } from './network/network-parameters.ts';
import { Scorer } from './network/scorer.ts';

/** Share of a window's target that goes to the other classes: nothing is quite certain. */
const smoothing = 0.04;
/** Benign windows that are looked at each epoch, and how many of the worst are dwelt on. */
const minedWindows = 8192;
const mostHard = 512;
const leastScore = 0.02;
const largestEpsilon = 0.15;

/** Benign training windows that the network likes least, as they were but for who is new. */
export async function hardNegatives(
  sampler: WindowSampler,
  { rows }: Pick<Dataset, 'rows'>,
  network: TrainedNetwork,
): Promise<Int32Array[]> {
  const windows = Array.from({ length: minedWindows }, () => sampler.benignWindow());
  await using scorer = await Scorer.open(buildDetectGraph(network));
  const asked = windows.map((window) => ({ window, ...amongNewcomers }));
  const probabilities = await scorer.score(blockOf(rows, asked, 0));
  return windows
    .map((window, index) => ({ window, score: 1 - probabilities[index * classCount]! }))
    .filter(({ score }) => score > leastScore)
    .sort((a, b) => b.score - a.score)
    .slice(0, mostHard)
    .map(({ window }) => window);
}

/** How many attack windows of a batch an adversary has its way with. */
export interface AttackShares {
  /** Of the attack windows. */
  readonly adversarial: number;
  /** Of those: perturbed to be taken for benign; the others, to be taken for anything but what they are. */
  readonly unseen: number;
}

/** Replaces some attack windows of the block by what an attacker would rather have sent. */
export async function attackSome(
  block: WindowBlock,
  adversary: Adversary,
  shares: AttackShares,
  random: () => number,
): Promise<void> {
  const chosen = [...block.labels.keys()].filter((index) => block.labels[index] !== 0 && random() < shares.adversarial);
  const aims = Map.groupBy(chosen, (): Aim => (random() < shares.unseen ? 'benign' : 'another-class'));
  const epsilon = largestEpsilon * random();
  for (const [aim, members] of aims) await attack(block, members, adversary, { epsilon, aim });
}

/** One step, as FGSM does it. */
async function attack(
  block: WindowBlock,
  chosen: readonly number[],
  adversary: Adversary,
  { epsilon, aim }: { readonly epsilon: number; readonly aim: Aim },
): Promise<void> {
  const size = windowLength * featureCount;
  const windows = new Float32Array(chosen.length * size);
  const flowContext = new Float32Array(chosen.length * flowContextSize);
  for (const [at, index] of chosen.entries()) {
    windows.set(block.windows.subarray(index * size, (index + 1) * size), at * size);
    const context = block.flowContext.subarray(index * flowContextSize, (index + 1) * flowContextSize);
    flowContext.set(context, at * flowContextSize);
  }
  const attacked = {
    count: chosen.length,
    windows,
    flowsSeen: Float32Array.from(chosen, (index) => block.flowsSeen[index]!),
    flowContext,
    labels: Uint8Array.from(chosen, (index) => block.labels[index]!),
  };
  const perturbed = await adversary.perturb(attacked, epsilon, 1, aim);
  for (const [at, index] of chosen.entries()) {
    block.windows.set(perturbed.subarray(at * size, (at + 1) * size), index * size);
  }
}

export function smoothTargets(block: WindowBlock): Float32Array {
  const targets = new Float32Array(block.count * classCount).fill(smoothing / classCount);
  for (const [index, label] of block.labels.entries()) targets[index * classCount + label]! += 1 - smoothing;
  return targets;
}

/** What each flow is on its own. A window's flows weigh as much together as those of any other. */
export function flowTargets(block: WindowBlock): Float32Array {
  const targets = new Float32Array(block.count * windowLength * classCount);
  for (const [slot, label] of block.flowLabels.entries()) {
    if (label !== noFlow) targets[slot * classCount + label] = 1 / block.flowsSeen[Math.floor(slot / windowLength)]!;
  }
  return targets;
}

export function dropoutMask(count: number, share: number, random: () => number): Float32Array {
  const mask = new Float32Array(count * summaryWidth).fill(1);
  if (share > 0) for (let index = 0; index < mask.length; index++) mask[index] = random() < share ? 0 : 1 / (1 - share);
  return mask;
}
