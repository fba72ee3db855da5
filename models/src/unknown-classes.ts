/** What the network makes of attacks of a kind that it never met: trained once with all classes, and once without each. */
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { dataFingerprint } from './data-fingerprint.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import { classesToLeaveOut, learntFrom } from './dataset/without-classes.ts';
import type { FoundClass, UnknownClasses } from './evaluation/evaluation.ts';
import { foundClasses } from './evaluation/found-classes.ts';
import { buildDetectGraph } from './network/bundle-graphs.ts';
import { Scorer } from './network/scorer.ts';
import { networkOf } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';
import { usualRecipe } from './train-model.ts';
import { trainVariants } from './train-variants.ts';
import type { CommonOptions } from './train-variants.ts';

/**
 * Goes on from `before` where that is of the same data, seed, epochs and recipe. `keep` gets the table as far as it is,
 * after each training.
 * @throws {Error} where `only` is no class that can be left out
 */
export async function measureUnknown(
  dataset: Dataset,
  options: CommonOptions & { readonly only?: string | undefined },
  before: UnknownClasses | undefined,
  progress: (line: string) => void,
  keep: (table: UnknownClasses) => void,
): Promise<void> {
  const { seed, epochs, stepsPerEpoch, only } = options;
  const recipe = JSON.stringify({ ...usualRecipe, stepsPerEpoch });
  const key = { seed, epochs, recipe, data_fingerprint: dataFingerprint(dataset) };
  const isSame =
    before !== undefined && Object.entries(key).every(([name, value]) => before[name as keyof typeof key] === value);
  if (before !== undefined && !isSame)
    progress('what is there is of other data, seed, epochs or another recipe: beginning anew');
  const table: UnknownClasses = { ...key, trainings: isSame ? [...before.trainings] : [] };
  const wanted = [null, ...(only === undefined ? learntAttacks(dataset) : classesToLeaveOut(dataset, [only]))];
  const variants = wanted
    .filter((name) => table.trainings.every(({ left_out: known }) => known !== name))
    .map((name) => ({
      name: name === null ? 'with all classes' : `without ${name}`,
      left: name,
      leftOutClasses: name === null ? [] : [name],
    }));
  await trainVariants(dataset, variants, options, progress, async ({ left }, record) => {
    table.trainings.push({ left_out: left, threshold: record.threshold, found: await foundBy(record, dataset) });
    keep(table);
  });
}

function learntAttacks(dataset: Dataset): TrafficClass[] {
  const learnt = learntFrom(dataset);
  return trafficClasses.filter((name) => name !== 'benign' && learnt.has(name));
}

async function foundBy(record: TrainingRecord, dataset: Dataset): Promise<FoundClass[]> {
  await using scorer = await Scorer.open(buildDetectGraph(networkOf(record)));
  const predictor = { name: 'network', score: scorer.score.bind(scorer) };
  return await foundClasses(dataset, predictor, record.threshold, ['validation', 'test']);
}
