/** What of a dataset a trained network may have had: what it is measured on, and what is learnt beside it, follow from that. */
import { basename } from 'node:path';
import { heardInPeace } from '../data-description.ts';
import type { Dataset, WindowSequence } from '../dataset/flow-rows.ts';
import { withoutClasses } from '../dataset/without-classes.ts';
import type { TrainingRecord } from '../training-record.ts';

type Origin = Pick<WindowSequence, 'source' | 'group' | 'part'>;

/** Folders of captures that stand for no device type: what lies right in them is of any. */
const typeless: ReadonlySet<string> = new Set(['attack', 'benign']);

/**
 * To measure on. Test captures of a device type that another source was taught or tuned on are no test, nor is what the
 * threshold was chosen by, nor any part of a site that the network went on with where that has no test part of its own.
 */
export function withoutKnown(dataset: Dataset, record: Pick<TrainingRecord, 'data' | 'tuned_to'>): Dataset {
  const known = record.data.filter(({ part }) => part !== 'test');
  const isUnsplit = unsplitSitesOf(record);
  return only(dataset, ({ source, group, part }) => {
    if (isUnsplit(source)) return false;
    if (part !== 'test') return true;
    const type = basename(group);
    const mayBeOf = (own: { readonly source: string; readonly part: string }): boolean =>
      own.part === heardInPeace || (own.source !== source && !typeless.has(type));
    return !known.some((own) => mayBeOf(own) && own.groups.includes(type));
  });
}

/**
 * For baselines: without the sites that the network went on with. It had a small share of each, and baselines that learnt
 * all of a site's training part would know more of it than what they are set beside. As they are, they say what could be
 * had of the data that both know.
 */
export function withoutSites(dataset: Dataset, record: Pick<TrainingRecord, 'left_out_classes' | 'tuned_to'>): Dataset {
  const sites = new Set(record.tuned_to.map(({ source }) => source));
  return withoutClasses(
    only(dataset, ({ source }) => !sites.has(source)),
    record.left_out_classes,
  );
}

/**
 * To look for copies in: all that the network may have learnt from, as a training part. Of sites that it went on with, that is
 * what the share was taken from: of a split site its training part, of any other whatever there is. Rather too much than
 * too little: what counts as a copy is left out of a figure, never put into one.
 */
export function possiblyLearnt(
  dataset: Dataset,
  record: Pick<TrainingRecord, 'left_out_classes' | 'tuned_to'>,
): Dataset {
  const isUnsplit = unsplitSitesOf(record);
  const { sequences, ...others } = withoutClasses(dataset, record.left_out_classes);
  return { ...others, sequences: sequences.map((one) => (isUnsplit(one.source) ? { ...one, part: 'train' } : one)) };
}

function unsplitSitesOf({ tuned_to: sites }: Pick<TrainingRecord, 'tuned_to'>): (source: string) => boolean {
  const unsplit = new Set(sites.filter((site) => !site.is_split).map(({ source }) => source));
  return (source) => unsplit.has(source);
}

function only(dataset: Dataset, passes: (one: Origin) => boolean): Dataset {
  return { ...dataset, sequences: dataset.sequences.filter(passes), listenings: dataset.listenings.filter(passes) };
}
