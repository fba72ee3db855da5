/** A network on what it never learnt from, in the few figures that two of them are compared by. */
import type { Dataset } from '../dataset/flow-rows.ts';
import { buildDetectGraph } from '../network/bundle-graphs.ts';
import { Scorer } from '../network/scorer.ts';
import { networkOf } from '../training-record.ts';
import type { TrainingRecord } from '../training-record.ts';
import type { Tuning } from './evaluation.ts';
import { foundClasses } from './found-classes.ts';
import { isOfPart, judgedWindows, scoreSequences } from './scored-sequences.ts';
import { sourceFigures } from './window-figures.ts';

/** Of the validation and test windows of the dataset, by source. */
export async function tuningFigures(dataset: Dataset, record: TrainingRecord): Promise<Tuning['before']> {
  await using scorer = await Scorer.open(buildDetectGraph(networkOf(record)));
  const predictor = { name: 'network', score: scorer.score.bind(scorer) };
  const { threshold } = record;
  const parts = ['validation', 'test'] as const;
  const sources: Tuning['before']['sources'] = [];
  for (const part of parts) {
    const windows = judgedWindows(dataset, await scoreSequences(dataset, predictor, isOfPart(part)), threshold);
    for (const [source, members] of Map.groupBy(windows, ({ sequence }) => sequence.source)) {
      sources.push(sourceFigures(source, part, members, threshold));
    }
  }
  return { threshold, sources, found: await foundClasses(dataset, predictor, threshold, parts) };
}
