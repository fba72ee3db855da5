/**
 * Devices, flows, predictions, alerts, decisions, rules and the books of ingestion: the tables of migration 0003.
 * `recorded_at` is the agent's wall clock when it wrote the event to its outbox: the time axis of lists and figures, for
 * packet times of a replayed capture may be years old. Packet times stand beside it.
 */
import type { Decision, DecisionDirection, DecisionEvent, Mode } from '@picket/shared/contract/decision';
import type { AlertStatus, AlertType, Severity, ActionTaken } from '@picket/shared/contract/alert';
import type { DeviceType } from '@picket/shared/contract/device';
import type { Flow } from '@picket/shared/contract/flow';
import type { Prediction } from '@picket/shared/contract/prediction';
import type { RuleAction } from '@picket/shared/contract/rule';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { EventChannel } from '@picket/shared/contract/topics';
import type { Generated } from 'kysely';

type TrafficSourceText = Flow['source'];

export interface DeviceRow {
  id: string;
  gateway_id: string | null;
  /** Unique over the fleet. */
  name: string;
  device_type: string;
  /** Null: registered by MAC or name only. Unique within a gateway. */
  ip_address: string | null;
  mac: string | null;
  protocol: string | null;
  port: number | null;
  traffic_source: string;
  description: string;
  origin: 'registered' | 'discovered';
  /** 0: its gateway is not to watch it. */
  monitored: number;
  last_seen_at: string | null;
  created_at: string;
  updated_at: string;
}

export interface FlowRow {
  gateway_id: string;
  flow_id: string;
  device_id: string;
  report_number: number;
  end_reason: Flow['end'];
  direction: Flow['direction'];
  started_at: string;
  last_packet_at: string;
  src_ip: string;
  src_port: number;
  dst_ip: string;
  dst_port: number;
  protocol: number;
  fwd_packets: number;
  bwd_packets: number;
  fwd_bytes: number;
  bwd_bytes: number;
  source: TrafficSourceText;
  /** 1: a router brought it, so that nobody saw its source send it. Null: it was seen, or nobody could tell. */
  is_relayed: 1 | null;
  /** 78 float32, little-endian. */
  features: Uint8Array;
  recorded_at: string;
}

/** What the worst attack prediction that saw a flow said of it. Apart from `flows`, for either may arrive first. */
export interface FlowLabelRow {
  gateway_id: string;
  flow_id: string;
  class: TrafficClass;
  score: number;
  prediction_id: string;
  recorded_at: string;
}

export interface PredictionRow {
  id: string;
  gateway_id: string;
  device_id: string;
  /** Packet time of the newest flow in the window. */
  at: string;
  score: number;
  label: Prediction['label'];
  class: TrafficClass;
  /** JSON array, in the order of the classes. */
  class_probabilities: string;
  confidence: number;
  threshold: number;
  model_version: string;
  window_key: Prediction['window_key'];
  flows_seen: number;
  /** JSON array. */
  flow_ids: string;
  inference_latency_ms: number;
  source: TrafficSourceText;
  /** JSON, or null where the agent did not explain. */
  explanation: string | null;
  recorded_at: string;
}

/** What the gateways counted of all traffic, whether or not it was reported one by one. */
export interface MinuteCounterRow {
  device_id: string;
  gateway_id: string;
  minute: string;
  source: TrafficSourceText;
  flows: number;
  packets: number;
  bytes: number;
  predictions: number;
  attacks: number;
  max_score: number;
  recorded_at: string;
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
  source: TrafficSourceText;
  model_version: string;
  /** When its first copy was recorded; order of the list. */
  created_at: string;
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
  who: string;
  from_status: AlertStatus;
  to_status: AlertStatus;
  note: string | null;
  at: string;
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

/** What migration 0005 added to a rule. */
export interface RuleScope {
  /** Only this gateway; null: every one. */
  gateway_id: string | null;
  /** Only devices of this type; null: whatever `device` says. */
  device_type: DeviceType | null;
  /** JSON array. */
  device_ladder: string;
  direction: DecisionDirection | null;
  /** JSON, or null. */
  escalation: string | null;
  /** JSON, or null. */
  schedule: string | null;
  webhook_url: string | null;
}

export interface RuleRow extends RuleScope {
  id: string;
  name: string;
  is_enabled: number;
  threshold: number | null;
  /** JSON array. */
  classes: string;
  device: string | null;
  action: RuleAction;
  min_windows: number;
  of_windows: number;
  min_flows: number;
  cooldown_seconds: number;
  duration_seconds: number;
  mode: Mode | null;
  /** Rises with every change; the ETag. */
  version: number;
  created_at: string;
  updated_at: string;
  updated_by: string | null;
}

/** How far each sequence of a gateway's outbox has been kept. */
export interface IngestWatermarkRow {
  gateway_id: string;
  epoch: string;
  channel: EventChannel;
  upto: number;
  /** First event behind a hole that nothing explains, since when and how often it was sent. */
  hole_seq: number | null;
  hole_since: string | null;
  hole_count: number;
  updated_at: string;
}

/** Events that are gone: dropped by the outbox, as it said itself, or never seen although all after them were. */
export interface IngestGapRow {
  gateway_id: string;
  epoch: string;
  channel: EventChannel;
  from_seq: number;
  to_seq: number;
  named_by: 'gateway' | 'controller';
  recorded_at: string;
}

/** Events that could not be stored, with the reason; the latest of each gateway. */
export interface IngestRejectRow {
  gateway_id: string;
  epoch: string;
  channel: EventChannel;
  seq: number;
  reason: string;
  /** JSON of the event, cut to 4,000 characters. */
  payload: string;
  at: string;
}

/** One row per gateway: its books, and the lock under which its batches are stored one after another. */
export interface IngestTotalsRow {
  gateway_id: string;
  batches: number;
  stored: number;
  duplicates: number;
  rejected: number;
  lost: number;
  last_batch_at: string;
}

export interface HistoryTables {
  devices: DeviceRow;
  flows: FlowRow;
  flow_labels: FlowLabelRow;
  predictions: PredictionRow;
  minute_counters: MinuteCounterRow;
  alerts: AlertRow;
  alert_entities: AlertEntityRow;
  alert_history: AlertHistoryRow;
  decisions: DecisionRow;
  decision_states: DecisionStateRow;
  decision_events: DecisionEventRow;
  rules: RuleRow;
  ingest_watermarks: IngestWatermarkRow;
  ingest_gaps: IngestGapRow;
  ingest_rejects: IngestRejectRow;
  ingest_totals: IngestTotalsRow;
}
