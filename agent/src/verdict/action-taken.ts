/** What an alert may say was done: only what a decision came to, the strongest of it, and that it was only simulated. */
import type { ActionTaken, Alert } from '@picket/shared/contract/alert';
import type { DecisionEvent } from '@picket/shared/contract/decision';

const weightOf: Readonly<Record<ActionTaken, number>> = { none: 0, rate_limited: 1, ip_blocked: 2, quarantined: 3 };

/** The alert after this outcome; undefined where it has nothing stronger to tell now. */
export function alertAfter(alert: Alert, event: DecisionEvent): Alert | undefined {
  const simulated = event.state === 'simulated';
  if (!simulated && event.state !== 'applied' && event.state !== 'verified') return undefined;
  const action = actionOf(event);
  const isStronger =
    weightOf[action] > weightOf[alert.action_taken] || (action === alert.action_taken && alert.simulated && !simulated);
  if (!isStronger) return undefined;
  return {
    ...alert,
    action_taken: action,
    simulated,
    alert_type: action === 'quarantined' ? 'device_quarantined' : alert.alert_type,
  };
}

function actionOf({ decision }: DecisionEvent): ActionTaken {
  if (decision.action === 'quarantine') return 'quarantined';
  return decision.action === 'rate_limit' ? 'rate_limited' : 'ip_blocked';
}
