/** The shape of `evaluation.json`: every figure that the model card prints. */
import { TrafficClass } from '@picket/shared/features/traffic-classes';
import { z } from 'zod';
import { DataDescription } from '../data-description.ts';

const Share = z.number().min(0).max(1);
const Count = z.int().nonnegative();
const Interval = z.tuple([Share, Share]);

/** One source's windows; a class that does not occur is left out. */
export const SourceFigures = z.strictObject({
  source: z.string(),
  part: z.enum(['validation', 'test']),
  windows: Count,
  benign_windows: Count,
  false_alarm_share: Share,
  /** 95 % of the resamplings of whole stretches lie between. Not there in evaluations of before, nor of one stretch. */
  false_alarm_interval: Interval.optional(),
  /** Over classes with at least 50 windows. */
  macro_f1: Share,
  /** As the windows are, and as if three quarters were benign. */
  pr_auc: Share,
  pr_auc_mostly_benign: Share,
  pr_auc_interval: Interval.optional(),
  classes: z.array(
    z.strictObject({
      class: z.string(),
      windows: Count,
      /** Share at or above the threshold, whatever class it is given. */
      detected: Share,
      /** Share at or above the threshold and named rightly. */
      recall: Share,
      precision: Share,
    }),
  ),
  benign_groups: z.array(z.strictObject({ group: z.string(), windows: Count, false_alarm_share: Share })),
});
export type SourceFigures = z.infer<typeof SourceFigures>;

/** Runs of an attack, by class and tool. */
export const EpisodeFigures = z.strictObject({
  source: z.string(),
  part: z.enum(['validation', 'test']),
  class: z.string(),
  tool: z.string(),
  /** Whether training or validation had runs of this tool, with whatever settings. */
  tool_seen_in: z.enum(['train', 'validation', 'nowhere']),
  episodes: Count,
  /** N of M reached, in windows where no other episode has more flows or by a proof that names its class. */
  alerted: Count,
  /** Of those alerted: named rightly by most proofs. */
  named: Count,
  /** From the episode's first packet to the first proof; of those alerted. */
  median_seconds: z.number().nullable(),
  /** Windows that held any of it until then, that of the proof included. Not there in evaluations of before. */
  median_windows: z.number().nullable().optional(),
});
export type EpisodeFigures = z.infer<typeof EpisodeFigures>;

/**
 * False alerts of N of M. By themselves: one for each device and class until five minutes of quiet, as networks are
 * compared. `told`: as agents tell a person.
 */
export const QuietFigures = z.strictObject({
  source: z.string(),
  part: z.enum(['validation', 'test']),
  /** Only gateways that nobody attacked, or those that somebody did, between attacks. */
  attacked: z.boolean(),
  /** Where the gateway listened: behind address translation it sees one device only. */
  view: z.enum(['lan', 'wan']),
  gateway_hours: z.number(),
  /** That were met in these hours. Not there in evaluations of before. */
  flows: Count.optional(),
  false_alerts: Count,
  per_gateway_day: z.number(),
  /** One-sided 95 % bound of the same. */
  at_most_per_gateway_day: z.number(),
  /** One for each device, class and peer until it was not seen for an hour. Not there in evaluations of before. */
  told: z
    .strictObject({ false_alerts: Count, per_gateway_day: z.number(), at_most_per_gateway_day: z.number() })
    .optional(),
});
export type QuietFigures = z.infer<typeof QuietFigures>;

export const CaptureFigures = z.strictObject({
  source: z.string(),
  capture: z.string(),
  attack: z.boolean(),
  flows: Count,
  windows: Count,
  /** At or above the threshold. */
  alarmed_windows: Count,
  highest_score: Share,
  /** N of M reached. */
  alerted: z.boolean(),
});
export type CaptureFigures = z.infer<typeof CaptureFigures>;

/** What a person would have been told. */
export const AlertFigures = z.strictObject({
  episodes: z.array(EpisodeFigures),
  quiet: z.array(QuietFigures),
  /** Captures that were judged as a whole. */
  captures: z.array(CaptureFigures),
});
export type AlertFigures = z.infer<typeof AlertFigures>;

export const Figures = z.strictObject({
  name: z.string(),
  threshold: Share,
  sources: z.array(SourceFigures),
  /** By its word alone. */
  ...AlertFigures.shape,
  /** Attack flows among ten, the rest benign of the same source. */
  dilution: z.array(z.strictObject({ attack_flows: z.int(), windows: Count, recall: Share })),
  /** Windows made of one benign flow over and over. */
  monotony: z.strictObject({ windows: Count, false_alarm_share: Share }),
  /** Test windows with their flows in random order, attack and benign. */
  shuffled: z.strictObject({ windows: Count, recall: Share, recall_shuffled: Share }),
  /** Attack windows with so many times as long from one flow to the next. Not there in evaluations of before. */
  slowed: z.array(z.strictObject({ pace: z.number(), windows: Count, recall: Share })).optional(),
  /**
   * Windows cut to their newest few flows, the other slots empty as on a gateway, or filled with the same flows again: of
   * attacks the share found, of benign ones the share that alarms. Not there in evaluations of before.
   */
  short: z
    .array(
      z.strictObject({
        flows: z.int(),
        attacks: Count,
        recall: Share,
        recall_repeated: Share,
        benign: Count,
        false_alarm_share: Share,
        false_alarm_share_repeated: Share,
      }),
    )
    .optional(),
  reliability: z.array(z.strictObject({ from: Share, windows: Count, mean_score: Share, attack_share: Share })),
  calibration_error: Share,
});
export type Figures = z.infer<typeof Figures>;

export const AdversarialFigures = z.strictObject({
  epsilon: z.number(),
  windows: Count,
  recall: Share,
  /** Of an adversary who wants its windows to be taken for another class. */
  recall_fgsm: Share,
  recall_pgd: Share,
  /** Of one who wants them to be taken for benign. Not there in evaluations of before. */
  recall_fgsm_unseen: Share.optional(),
  recall_pgd_unseen: Share.optional(),
});
export type AdversarialFigures = z.infer<typeof AdversarialFigures>;

/** Flows to test on that training had with the very same features, and the windows that are not made of such alone (`own`). */
export const CopyFigures = z.strictObject({
  source: z.string(),
  flows: Count,
  copied_flows: Count,
  attack_windows: Count,
  own_attack_windows: Count,
  recall: Share,
  own_recall: Share,
  benign_windows: Count,
  own_benign_windows: Count,
  false_alarm_share: Share,
  own_false_alarm_share: Share,
});
export type CopyFigures = z.infer<typeof CopyFigures>;

/** One class of a source's part, benign included: found as an attack of any kind, and as what it is named. */
export const FoundClass = z.strictObject({
  source: z.string(),
  part: z.enum(['validation', 'test']),
  class: z.string(),
  episodes: Count,
  alerted: Count,
  /** Of those alerted, how many are named what by most proofs. */
  named_as: z.record(z.string(), Count),
  windows: Count,
  /** At or above the threshold. */
  loud_windows: Count,
  /** Of those, how many are named what. */
  windows_named_as: z.record(z.string(), Count),
});
export type FoundClass = z.infer<typeof FoundClass>;

/** The same data, seed and number of epochs with and without each class. */
/** What the trainings of one table have in common: a table goes on only where all of it is the same. */
export const SeriesKey = z.strictObject({
  seed: z.int(),
  epochs: z.int(),
  /** Everything else that could have been another way. */
  recipe: z.string(),
  data_fingerprint: z.string(),
});
export type SeriesKey = z.infer<typeof SeriesKey>;

export const Ablation = SeriesKey.extend({
  /** Figure → value of a training that lacks what is named. */
  trainings: z.array(z.strictObject({ name: z.string(), figures: z.record(z.string(), z.number()) })),
});
export type Ablation = z.infer<typeof Ablation>;

export const UnknownClasses = SeriesKey.extend({
  /** The first had all classes. */
  trainings: z.array(
    z.strictObject({ left_out: TrafficClass.nullable(), threshold: z.number(), found: z.array(FoundClass) }),
  ),
});
export type UnknownClasses = z.infer<typeof UnknownClasses>;

const TuningFigures = z.strictObject({
  threshold: z.number(),
  sources: z.array(SourceFigures),
  found: z.array(FoundClass),
});

/** A network that went on with a share of a site's labelled windows, before and after. */
export const Tuning = z.strictObject({
  site: z.string(),
  share: z.number(),
  seed: z.int(),
  taken: z.array(z.strictObject({ class: z.string(), windows: Count, taken: Count })),
  /** Whether the site came with training and test parts; else what shares no flow with what was taken is tested on. */
  is_split: z.boolean(),
  before: TuningFigures,
  after: TuningFigures,
});
export type Tuning = z.infer<typeof Tuning>;

export const Evaluation = z.strictObject({
  network: Figures,
  /** The network's alerts, and those of what a gateway counts beside it. Not there in evaluations of before it did. */
  with_counts: AlertFigures.optional(),
  adversarial: z.array(AdversarialFigures),
  /** Of the test part. Not there in evaluations of before. */
  copies: z.array(CopyFigures).optional(),
  baselines: z.array(Figures),
  /** What N of M would make of the truth itself, for the network's episodes. */
  possible: z.array(EpisodeFigures),
  /** Every class, where some were kept from training. Not there where none was, nor in evaluations of before. */
  found_classes: z.array(FoundClass).optional(),
  /** What there was to test on, which training had no part in. */
  tested_on: z.array(DataDescription),
});
export type Evaluation = z.infer<typeof Evaluation>;
