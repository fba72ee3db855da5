/** Concrete restrictions, where each stands on each gateway, and how it came there: migration 0003. */
import type { Decision, DecisionEvent, Mode } from '@picket/shared/contract/decision';

export interface DecisionTables {
  decisions: DecisionRow;
  decision_states: DecisionStateRow;
  decision_events: DecisionEventRow;
}

export interface DecisionRow {
  id: string;
  origin: Decision['origin'];
  action: Decision['action'];
  scope: Decision['scope'];
  value: string;
  direction: Decision['direction'];
  created_at: string;
  expires_at: string;
  scenario: string;
  mode: Mode;
  reason: string;
  who: string;
  alert_id: string | null;
  rule_id: string | null;
  /** Gateway that made it by itself; null: made at the controller. */
  made_by_gateway: string | null;
  lifted_at: string | null;
  lifted_by: string | null;
}

/** Where a decision stands on one gateway now. */
export interface DecisionStateRow {
  decision_id: string;
  gateway_id: string;
  state: DecisionEvent['state'];
  at: string;
  detail: string | null;
}

/** How it came there. */
export interface DecisionEventRow {
  id: string;
  decision_id: string;
  gateway_id: string;
  state: DecisionEvent['state'];
  at: string;
  detail: string | null;
  recorded_at: string;
}
