/** Batch after batch of one epoch: drawn, attacked, learnt from, and averaged into what will be measured. */
import type { WindowBlock } from './dataset/window-block.ts';
import type { Adversary } from './network/adversary.ts';
import type { Trainer } from './network/trainer.ts';
import { attackSome, dropoutMask, flowTargets, smoothTargets } from './training-block.ts';
import type { AttackShares } from './training-block.ts';

const clipNorm = 2;
/** Towards where the parameters began: there are more of them than there are sites to learn from. */
const pull = 0.0003;
/** Weight of what the averaged parameters were before each step. */
const averaging = 0.999;

export interface EpochOptions {
  readonly steps: number;
  /** A batch. */
  readonly draw: () => WindowBlock;
  /** Undefined: nobody perturbs anything. */
  readonly adversary: Adversary | undefined;
  readonly shares: AttackShares;
  /** Share of the summary that is dropped at each step. */
  readonly dropout: number;
  readonly learningRate: number;
  readonly random: () => number;
}

/** `average` is what the parameters, `initial` and what the trainer added to them, were until now. */
export async function trainEpoch(
  trainer: Trainer,
  initial: Float32Array,
  average: Float32Array<ArrayBuffer>,
  options: EpochOptions,
): Promise<{ readonly loss: number; readonly average: Float32Array<ArrayBuffer> }> {
  const { steps, draw, adversary, shares, dropout, learningRate, random } = options;
  let loss = 0;
  let mean = average;
  for (let step = 0; step < steps; step++) {
    const block = draw();
    if (adversary !== undefined) await attackSome(block, adversary, shares, random);
    const targets = smoothTargets(block);
    const keep = dropoutMask(block.count, dropout, random);
    const batch = { ...block, targets, keep, flowTargets: flowTargets(block) };
    loss += (await trainer.step(batch, { learningRate, clipNorm, proximal: pull })) / steps;
    const { delta } = trainer.state;
    const weight = Math.min(averaging, trainer.state.steps / (trainer.state.steps + 10));
    mean = mean.map((value, index) => weight * value + (1 - weight) * (initial[index]! + delta[index]!));
  }
  return { loss, average: mean };
}
