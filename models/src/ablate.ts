/** Short trainings that differ in one thing each, measured on validation data: which parts earn their place. */
import type { Dataset } from './dataset/flow-rows.ts';
import { evaluateModel } from './evaluate-model.ts';
import type { Ablation } from './evaluation/evaluation.ts';
import { summaryOf } from './evaluation/summary.ts';
import { usualRecipe } from './train-model.ts';
import type { TrainingRecipe } from './train-model.ts';
import type { TrainingRecord } from './training-record.ts';
import { seriesFrom, seriesKey, trainVariants } from './train-variants.ts';
import type { CommonOptions } from './train-variants.ts';

const { design, shares, masked } = usualRecipe;

/** What is left out, and the recipe without it. */
export const variants: readonly (readonly [string, TrainingRecipe])[] = [
  ['whole', usualRecipe],
  ['without LSTM', { ...usualRecipe, design: { ...design, recurrence: false } }],
  ['without neighbours in the convolution', { ...usualRecipe, design: { ...design, neighbours: false } }],
  ['without pooling', { ...usualRecipe, design: { ...design, pooling: false } }],
  ['without attention', { ...usualRecipe, design: { ...design, attention: false } }],
  ["without the flows' own head", { ...usualRecipe, design: { ...design, suspicion: false } }],
  ['without ages, peers and directions', { ...usualRecipe, design: { ...design, surroundings: false } }],
  ['without familiarity', { ...usualRecipe, design: { ...design, familiarity: false } }],
  ['LSTM alone', { ...usualRecipe, design: { ...design, pooling: false, attention: false, suspicion: false } }],
  ['without dilution', { ...usualRecipe, shares: { ...shares, diluted: 0 } }],
  ['without other links and sizes', { ...usualRecipe, shares: { ...shares, retimed: 0, resized: 0 } }],
  ['without honest newcomers', { ...usualRecipe, shares: { ...shares, newcomers: 0 } }],
  ['without hidden features', { ...usualRecipe, shares: { ...shares, hidden: 0 } }],
  ['without monotony and hard negatives', { ...usualRecipe, shares: { ...shares, monotonous: 0, hardNegatives: 0 } }],
  ['without dropout', { ...usualRecipe, dropout: 0 }],
  ['adversaries who only want another name', { ...usualRecipe, unseen: 0 }],
  ['without adversarial windows', { ...usualRecipe, adversarial: 0 }],
  ['nothing masked', { ...usualRecipe, masked: masked.filter(() => false) }],
];

/** What early stopping looks at. Two trainings may differ by their thresholds alone, and one device can move one of those. */
const quietRecallName = 'recall while quiet, whatever the threshold';

/**
 * Goes on from `before` where that is of the same data, seed, epochs and recipe. `keep` gets the table as far as it is,
 * after each training: an hour's work is not lost when the next one is interrupted.
 */
export async function ablate(
  dataset: Dataset,
  options: CommonOptions & { readonly only?: string | undefined },
  before: Ablation | undefined,
  progress: (line: string) => void,
  keep: (table: Ablation) => void,
): Promise<void> {
  const table: Ablation = seriesFrom(before, seriesKey(dataset, options), progress);
  const choice = { parts: ['validation'], withBaselines: false } as const;
  const chosen = variants
    .filter(([name]) => name.includes(options.only ?? '') && table.trainings.every((known) => known.name !== name))
    .map(([name, recipe]) => ({ name, recipe }));
  await trainVariants(dataset, chosen, options, progress, async ({ name }, record) => {
    const { network, adversarial } = await evaluateModel(dataset, record, choice, () => undefined);
    const figures: Record<string, number> = { [quietRecallName]: quietRecallOf(record), ...summaryOf(network) };
    for (const { epsilon, recall, recall_fgsm: named, recall_fgsm_unseen: unseen } of adversarial) {
      figures[`recall lost to FGSM at ${epsilon}`] = recall - named;
      if (unseen !== undefined) figures[`recall lost to FGSM towards benign at ${epsilon}`] = recall - unseen;
    }
    table.trainings.push({ name, figures });
    keep(table);
  });
}

function quietRecallOf({ epochs, best_epoch: best }: TrainingRecord): number {
  return epochs.find(({ epoch }) => epoch === best)!.validation_recall;
}
