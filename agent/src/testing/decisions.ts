/** Decisions for tests: a block of one host for ten minutes where nothing else is said. */
import type { Decision } from '@picket/shared/contract/decision';
import { newId, type DecisionId } from '@picket/shared/contract/identifiers';
import { restrictionOf, type Restriction } from '../enforcement/restriction.ts';

export function decision(changes: Partial<Decision> = {}, nowMs = Date.now()): Decision {
  return {
    id: newId() as DecisionId,
    origin: 'analyst',
    action: 'block',
    scope: 'ip',
    value: '203.0.113.9',
    direction: 'both',
    created_at: new Date(nowMs).toISOString(),
    expires_at: new Date(nowMs + 600_000).toISOString(),
    scenario: 'by hand',
    mode: 'enforce',
    reason: 'test',
    who: 'test',
    alert_id: null,
    rule_id: null,
    ...changes,
  };
}

/** The same as a kernel is told of it. */
export function restriction(changes: Partial<Decision> = {}): Restriction {
  return restrictionOf(decision(changes));
}
