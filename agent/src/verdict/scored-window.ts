/** A prediction beside the window it was made of: what verdicts are decided on. */
import type { Prediction } from '@picket/shared/contract/prediction';
import type { AttackClass, JudgedWindow } from '@picket/shared/policy/judged-window';
import { likeliestAttack as likeliestOf } from '@picket/shared/policy/service-ports';
import type { WindowContext } from '../window/window-context.ts';

export type { AttackClass } from '@picket/shared/policy/judged-window';

export interface ScoredWindow {
  readonly prediction: Prediction;
  readonly context: WindowContext;
}

/** The likeliest attack that the window's flows can be, whatever the threshold said of it. */
export function likeliestAttack({ prediction, context }: ScoredWindow): AttackClass {
  return likeliestOf(prediction.class_probabilities, context);
}

/** What a decision is taken on. */
export function judgedOf(scored: ScoredWindow): JudgedWindow {
  const { prediction, context } = scored;
  const { device, atUs, flowsSeen, countsAsEvidence, flows, passed } = context;
  return {
    device,
    atUs,
    flowsSeen,
    countsAsEvidence,
    flows,
    passed,
    score: prediction.score,
    threshold: prediction.threshold,
    attack: likeliestAttack(scored),
    flowImportance: prediction.explanation?.flow_importance ?? null,
  };
}
