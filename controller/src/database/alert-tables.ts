/** What people should see, what it is about, and what they did about it: migrations 0003 and 0011 to 0014. */
import type { ActionTaken, AlertStatus, AlertType, Severity } from '@picket/shared/contract/alert';
import type { Flow } from '@picket/shared/contract/flow';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { Generated } from 'kysely';

export interface AlertTables {
  alerts: AlertRow;
  alert_entities: AlertEntityRow;
  alert_history: AlertHistoryRow;
  raised_clock: RaisedClockRow;
}

export interface AlertRow {
  id: string;
  gateway_id: string;
  /** Null once the device was deleted; address and name stay. */
  device_id: string | null;
  device_address: string;
  device_name: string;
  revision: number;
  alert_type: AlertType;
  class: TrafficClass;
  /** In force: the agent's until a person sets another. */
  severity: Severity;
  /** 1: set by a person, so that the agent's updates leave it. */
  severity_by_person: Generated<number>;
  score: number;
  peer: string | null;
  first_seen_at: string;
  last_seen_at: string;
  count: number;
  message: string;
  explanation: string | null;
  evidence: string;
  prediction_id: string;
  rule_id: string | null;
  decision_ids: string;
  action_taken: ActionTaken;
  simulated: number;
  /** 1: its flows tell it by themselves. */
  is_plain: Generated<number>;
  /** How often the attack came back to it. */
  returns: Generated<number>;
  source: Flow['source'];
  model_version: string;
  /** When its first copy was recorded. */
  created_at: string;
  /** When it last asked for somebody's eyes, from `raised_clock`; order of the list. */
  raised_at: string;
  /** When its latest copy was recorded. */
  recorded_at: string;
  status: AlertStatus;
  assignee: string | null;
  /** JSON array of words. */
  tags: string;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  resolved_by: string | null;
  resolved_at: string | null;
  resolution_notes: string | null;
  updated_at: string;
}

export interface AlertEntityRow {
  alert_id: string;
  kind: 'ip' | 'device';
  value: string;
  role: 'source' | 'target';
}

/** Every step of an alert's workflow, and who took it. */
export interface AlertHistoryRow {
  id: string;
  alert_id: string;
  /** User name; `gateway <id>` where the attack came back. */
  who: string;
  from_status: AlertStatus;
  to_status: AlertStatus;
  note: string | null;
  at: string;
}

/** One row: the latest `raised_at` that was given. */
export interface RaisedClockRow {
  id: number;
  /** Unix time, ms. */
  at_ms: number;
}
