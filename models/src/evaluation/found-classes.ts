/** What becomes of each class, however it is named: what is asked of a network that never met some of them. */
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { Dataset } from '../dataset/flow-rows.ts';
import { proofsOf } from './alarms.ts';
import { episodeOutcomes } from './alert-figures.ts';
import type { FoundClass } from './evaluation.ts';
import type { Predictor } from './predictor.ts';
import { isOfPart, judgedWindows, scoreSequences } from './scored-sequences.ts';

export async function foundClasses(
  dataset: Dataset,
  predictor: Predictor,
  threshold: number,
  parts: readonly FoundClass['part'][],
): Promise<FoundClass[]> {
  const found: FoundClass[] = [];
  for (const part of parts) {
    const scored = await scoreSequences(dataset, predictor, isOfPart(part));
    const windows = judgedWindows(dataset, scored, threshold);
    const outcomes = episodeOutcomes(dataset, scored, (one) => proofsOf(dataset.rows, one, threshold));
    for (const source of new Set(scored.map(({ sequence }) => sequence.source))) {
      for (const [label, name] of trafficClasses.entries()) {
        const own = windows.filter((window) => window.label === label && window.sequence.source === source);
        const runs = [...dataset.episodes.entries()].filter(
          ([, one]) => one.part === part && one.source === source && one.class === name && one.fromUs > 0,
        );
        if (own.length === 0 && runs.length === 0) continue;
        const alerted = runs.flatMap(([number]) => outcomes.get(number) ?? []);
        const loud = own.filter(({ score }) => score >= threshold);
        found.push({
          source,
          part,
          class: name,
          episodes: runs.length,
          alerted: alerted.length,
          named_as: countsOf(alerted.map(({ votes }) => mostVoted(votes))),
          windows: own.length,
          loud_windows: loud.length,
          windows_named_as: countsOf(loud.map(({ predicted }) => predicted)),
        });
      }
    }
  }
  return found;
}

/** By class, the most frequent first. */
function countsOf(labels: readonly number[]): Record<string, number> {
  const groups = [...Map.groupBy(labels, (label) => trafficClasses[label]!)];
  return Object.fromEntries(
    groups.map(([name, members]) => [name, members.length] as const).sort(([, a], [, b]) => b - a),
  );
}

/** Of as many, the class that was named first. */
function mostVoted(votes: ReadonlyMap<number, number>): number {
  return [...votes].reduce((best, vote) => (vote[1] > best[1] ? vote : best))[0];
}
