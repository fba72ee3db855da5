/** A decision for tests: one host blocked by the model, for an hour from the beginning of 2026 where nothing else is said. */
import type { Decision } from '../contract/decision.ts';
import { DecisionId } from '../contract/identifiers.ts';

export function heldDecision(changes: Partial<Decision> = {}): Decision {
  return {
    id: DecisionId.parse('019a0000-0000-7000-8000-0000000000d1'),
    origin: 'model',
    action: 'block',
    scope: 'ip',
    value: '203.0.113.9',
    direction: 'both',
    created_at: '2026-01-01T00:00:00.000Z',
    expires_at: '2026-01-01T01:00:00.000Z',
    scenario: 'port_scan',
    mode: 'enforce',
    reason: 'test',
    who: 'test',
    alert_id: null,
    rule_id: null,
    ...changes,
  };
}
