/** The shape of `evaluation.json`: every figure that the model card prints. */
import { z } from 'zod';
import { DataDescription } from '../data-description.ts';

const Share = z.number().min(0).max(1);
const Count = z.int().nonnegative();

/** One source's windows; a class that does not occur is left out. */
export const SourceFigures = z.strictObject({
  source: z.string(),
  part: z.enum(['validation', 'test']),
  windows: Count,
  benign_windows: Count,
  false_alarm_share: Share,
  /** Over classes with at least 50 windows. */
  macro_f1: Share,
  /** As the windows are, and as if three quarters were benign. */
  pr_auc: Share,
  pr_auc_mostly_benign: Share,
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
  reliability: z.array(z.strictObject({ from: Share, windows: Count, mean_score: Share, attack_share: Share })),
  calibration_error: Share,
});
export type Figures = z.infer<typeof Figures>;

export const AdversarialFigures = z.strictObject({
  epsilon: z.number(),
  windows: Count,
  recall: Share,
  recall_fgsm: Share,
  recall_pgd: Share,
});
export type AdversarialFigures = z.infer<typeof AdversarialFigures>;

export const Evaluation = z.strictObject({
  network: Figures,
  /** The network's alerts, and those of what a gateway counts beside it. Not there in evaluations of before it did. */
  with_counts: AlertFigures.optional(),
  adversarial: z.array(AdversarialFigures),
  baselines: z.array(Figures),
  /** What N of M would make of the truth itself, for the network's episodes. */
  possible: z.array(EpisodeFigures),
  /** What there was to test on, which training had no part in. */
  tested_on: z.array(DataDescription),
});
export type Evaluation = z.infer<typeof Evaluation>;
