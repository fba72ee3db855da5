/** Trainings on the same data that differ in one thing each. */
import type { Dataset } from './dataset/flow-rows.ts';
import { trainModel } from './train-model.ts';
import type { TrainingOptions } from './train-model.ts';
import type { TrainingRecord } from './training-record.ts';

/** What is different, and its name. */
export type Variant = Pick<TrainingOptions, 'recipe' | 'leftOutClasses'> & { readonly name: string };

/** What all have in common. */
export type CommonOptions = Omit<TrainingOptions, keyof Variant | 'checkpoint'>;

/** One after the other; each is looked at before the next one begins, so that what is interrupted leaves what is done. */
export async function trainVariants<V extends Variant>(
  dataset: Dataset,
  variants: readonly V[],
  options: CommonOptions,
  progress: (line: string) => void,
  look: (variant: V, record: TrainingRecord) => Promise<void>,
): Promise<void> {
  for (const variant of variants) {
    progress(variant.name);
    await look(variant, await trainModel(dataset, { ...options, ...variant }, progress));
  }
}
