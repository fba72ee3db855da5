/** Trainings on the same data that differ in one thing each. */
import { dataFingerprint } from './data-fingerprint.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import { SeriesKey } from './evaluation/evaluation.ts';
import { trainModel, usualRecipe } from './train-model.ts';
import type { TrainingOptions } from './train-model.ts';
import type { TrainingRecord } from './training-record.ts';

/** What is different, and its name. */
export type Variant = Pick<TrainingOptions, 'recipe' | 'leftOutClasses'> & { readonly name: string };

/** What all have in common. */
export type CommonOptions = Omit<TrainingOptions, keyof Variant | 'checkpoint'>;

export function seriesKey(dataset: Dataset, { seed, epochs, stepsPerEpoch }: CommonOptions): SeriesKey {
  const recipe = JSON.stringify({ ...usualRecipe, stepsPerEpoch });
  return { seed, epochs, recipe, data_fingerprint: dataFingerprint(dataset) };
}

/** The table that was begun `before`, as far as it is, where it is of the same series; else an empty one. */
export function seriesFrom<T>(
  before: (SeriesKey & { readonly trainings: readonly T[] }) | undefined,
  key: SeriesKey,
  progress: (line: string) => void,
): SeriesKey & { trainings: T[] } {
  const isSame = before !== undefined && SeriesKey.keyof().options.every((name) => before[name] === key[name]);
  if (before !== undefined && !isSame)
    progress('what is there is of other data, seed, epochs or another recipe: beginning anew');
  return { ...key, trainings: isSame ? [...before.trainings] : [] };
}

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
