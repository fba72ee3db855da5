/** What a dataset holds, for people: sources and parts, and how much of what. */
import { windowLength } from '@picket/shared/features/feature-schema';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { z } from 'zod';
import type { Dataset } from './dataset/flow-rows.ts';

/** Part of a source that only the threshold was chosen by: it holds no attack, and is no test any more. */
export const heardInPeace = 'peace';

/** One part of one source. */
export const DataDescription = z.strictObject({
  source: z.string(),
  part: z.string(),
  groups: z.array(z.string()),
  windows: z.int(),
  /** Of the groups: those in which there was an attack. */
  attacked_groups: z.int(),
  /** Runs of attack tools. */
  episodes: z.int(),
  /** Names of those tools. */
  tools: z.array(z.string()),
  /** Of gateways that nobody attacked. */
  hours_in_peace: z.number(),
});
export type DataDescription = z.infer<typeof DataDescription>;

/** Runs of the classes in `leftOut` are counted where there is nothing to learn from alone: in the test part. */
export function describeData(
  { sequences, episodes, listenings }: Dataset,
  leftOut: readonly TrafficClass[] = [],
): DataDescription[] {
  const keyOf = ({ source, part }: { readonly source: string; readonly part: string }): string => `${source} ${part}`;
  return [...Map.groupBy(sequences, keyOf)].map(([key, members]) => {
    const runs = episodes.filter(
      (episode) => keyOf(episode) === key && (episode.part === 'test' || !leftOut.includes(episode.class)),
    );
    const seconds = listenings
      .filter((listening) => keyOf(listening) === key && !listening.isAttacked)
      .reduce((sum, listening) => sum + listening.seconds, 0);
    return {
      source: members[0]!.source,
      part: members[0]!.part,
      groups: [...new Set(members.map(({ group }) => group))].sort(),
      windows: members.reduce((sum, { windows }) => sum + windows.length / windowLength, 0),
      attacked_groups: new Set(runs.map(({ group }) => group)).size,
      episodes: runs.length,
      tools: [...new Set(runs.map(({ tool }) => tool))].sort(),
      hours_in_peace: Math.round(seconds / 36) / 100,
    };
  });
}

/** Where a network met a tool first. */
export type ToolSeenIn = 'train' | 'validation' | 'nowhere';

/** What was only tuned on says less than what was never met, and what was learnt from says least. */
export function toolSeenIn(data: readonly DataDescription[], tool: string): ToolSeenIn {
  const has = (part: string): boolean => data.some((entry) => entry.part === part && entry.tools.includes(tool));
  return has('train') ? 'train' : has('validation') ? 'validation' : 'nowhere';
}
