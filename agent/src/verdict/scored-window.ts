/** A prediction beside the window it was made of: what verdicts are decided on. */
import type { Prediction } from '@picket/shared/contract/prediction';
import {
  likeliestAttack as likeliestOf,
  type AttackClass,
  type JudgedWindow,
} from '@picket/shared/policy/judged-window';
import type { WindowContext } from '../window/device-windows.ts';

export type { AttackClass } from '@picket/shared/policy/judged-window';

export interface ScoredWindow {
  readonly prediction: Prediction;
  readonly context: WindowContext;
}

/** The likeliest attack, whatever the threshold said of the window. */
export function likeliestAttack(prediction: Prediction): AttackClass {
  return likeliestOf(prediction.class_probabilities);
}

/** What a decision is taken on. */
export function judgedOf({ prediction, context }: ScoredWindow): JudgedWindow {
  const { device, atUs, flowsSeen, countsAsEvidence, flows } = context;
  return {
    device,
    atUs,
    flowsSeen,
    countsAsEvidence,
    flows,
    score: prediction.score,
    threshold: prediction.threshold,
    attack: likeliestAttack(prediction),
    flowImportance: prediction.explanation?.flow_importance ?? null,
  };
}
