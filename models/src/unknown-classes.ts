/** What the network makes of attacks of a kind that it never met: trained once with all classes, and once without each. */
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { Dataset } from './dataset/flow-rows.ts';
import { classesToLeaveOut, learntFrom } from './dataset/without-classes.ts';
import type { FoundClass, UnknownClasses } from './evaluation/evaluation.ts';
import { foundClasses } from './evaluation/found-classes.ts';
import { buildDetectGraph } from './network/bundle-graphs.ts';
import { Scorer } from './network/scorer.ts';
import { networkOf } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';
import { seriesFrom, seriesKey, trainVariants } from './train-variants.ts';
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
  const { only } = options;
  const table: UnknownClasses = seriesFrom(before, seriesKey(dataset, options), progress);
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
