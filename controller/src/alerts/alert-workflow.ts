/** The steps of an alert. Acknowledging says that someone has seen it and hides nothing; reopening starts over. */
import type { Selectable } from 'kysely';
import type { AlertStatus } from '@picket/shared/contract/alert';
import type { AlertRow } from '../database/alert-tables.ts';

/** What a person's work on an alert sets. */
export type AlertWork = Partial<
  Pick<
    Selectable<AlertRow>,
    | 'status'
    | 'assignee'
    | 'severity'
    | 'severity_by_person'
    | 'tags'
    | 'acknowledged_by'
    | 'acknowledged_at'
    | 'resolved_by'
    | 'resolved_at'
    | 'resolution_notes'
    | 'updated_at'
  >
>;

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

/**
 * An attack that comes back opens what was resolved. What was marked as a false positive stays closed, for it is the same
 * false alarm again, and what somebody works on stays theirs.
 */
export function isReopenedBy(status: AlertStatus, newReturns: number): boolean {
  return status === 'resolved' && newReturns > 0;
}

/** Whoever takes an alert on has seen it; reopening needs eyes anew. */
export function workOfStep(row: Selectable<AlertRow>, to: AlertStatus, who: string, now: string): AlertWork {
  if (to === 'active') {
    return {
      status: to,
      acknowledged_by: null,
      acknowledged_at: null,
      resolved_by: null,
      resolved_at: null,
      resolution_notes: null,
    };
  }
  return {
    status: to,
    ...(row.acknowledged_at === null ? { acknowledged_by: who, acknowledged_at: now } : {}),
    ...(isClosed(to) ? { resolved_by: who, resolved_at: now } : {}),
  };
}
