/** The steps of an alert. Acknowledging says that someone has seen it and hides nothing; reopening starts over. */
import type { AlertStatus } from '@picket/shared/contract/alert';

const next = {
  active: ['acknowledged', 'investigating', 'resolved', 'false_positive'],
  acknowledged: ['investigating', 'resolved', 'false_positive'],
  investigating: ['resolved', 'false_positive'],
  resolved: ['active'],
  false_positive: ['active'],
} satisfies Record<AlertStatus, readonly AlertStatus[]>;

export function mayStep(from: AlertStatus, to: AlertStatus): boolean {
  return (next[from] as readonly AlertStatus[]).includes(to);
}

export function stepsFrom(from: AlertStatus): readonly AlertStatus[] {
  return next[from];
}

export function isClosed(status: AlertStatus): status is 'resolved' | 'false_positive' {
  return status === 'resolved' || status === 'false_positive';
}
