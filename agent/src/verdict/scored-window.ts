/** A prediction beside the window it was made of: what verdicts are decided on. */
import type { Prediction } from '@picket/shared/contract/prediction';
import { trafficClasses, type TrafficClass } from '@picket/shared/features/traffic-classes';
import type { WindowContext } from '../window/device-windows.ts';

export interface ScoredWindow {
  readonly prediction: Prediction;
  readonly context: WindowContext;
}

export type AttackClass = Exclude<TrafficClass, 'benign'>;

/** The likeliest attack, whatever the threshold said of the window. */
export function likeliestAttack(prediction: Prediction): AttackClass {
  let best: AttackClass = 'other_attack';
  let highest = -1;
  for (const [index, candidate] of trafficClasses.entries()) {
    const probability = prediction.class_probabilities[index] ?? 0;
    if (candidate !== 'benign' && probability > highest) {
      best = candidate;
      highest = probability;
    }
  }
  return best;
}
