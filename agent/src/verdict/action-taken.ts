/** What an alert may say was done: only what a decision came to, the strongest of it, and that it was only simulated. */
import type { ActionTaken, Alert } from '@picket/shared/contract/alert';
import type { DecisionEvent } from '@picket/shared/contract/decision';

const weightOf: Readonly<Record<ActionTaken, number>> = { none: 0, rate_limited: 1, ip_blocked: 2, quarantined: 3 };

export type Action = Pick<Alert, 'action_taken' | 'simulated'>;

export const nothingDone: Action = { action_taken: 'none', simulated: false };

/** What was done after this outcome; undefined where that is nothing stronger than before. */
export function actionAfter(before: Action, event: DecisionEvent): Action | undefined {
  const simulated = event.state === 'simulated';
  if (!simulated && event.state !== 'applied' && event.state !== 'verified') return undefined;
  const action = actionOf(event);
  const isStronger =
    weightOf[action] > weightOf[before.action_taken] ||
    (action === before.action_taken && before.simulated && !simulated);
  return isStronger ? { action_taken: action, simulated } : undefined;
}

/** The alert after this outcome; undefined where it has nothing stronger to tell now. */
export function alertAfter(alert: Alert, event: DecisionEvent): Alert | undefined {
  const action = actionAfter(alert, event);
  if (action === undefined) return undefined;
  return {
    ...alert,
    ...action,
    alert_type: action.action_taken === 'quarantined' ? 'device_quarantined' : alert.alert_type,
  };
}

function actionOf({ decision }: DecisionEvent): ActionTaken {
  if (decision.action === 'quarantine') return 'quarantined';
  return decision.action === 'rate_limit' ? 'rate_limited' : 'ip_blocked';
}
