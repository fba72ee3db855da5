/** What a person should see: the predictions of one episode, grouped. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { DeviceRef, Instant, IpAddress, TrafficSource } from './address.ts';
import { FlowSummary } from './flow.ts';
import { AlertId, DecisionId, PredictionId, RuleId } from './identifiers.ts';
import { Explanation } from './prediction.ts';

export const Severity = z.enum(['low', 'medium', 'high', 'critical']);
export type Severity = z.infer<typeof Severity>;

export const AlertType = z.enum(['threshold_breach', 'sustained_attack', 'new_attack_type', 'device_quarantined']);
export type AlertType = z.infer<typeof AlertType>;

export const AlertStatus = z.enum(['active', 'acknowledged', 'investigating', 'resolved', 'false_positive']);
export type AlertStatus = z.infer<typeof AlertStatus>;

/** What was done about it, for the analyst at a glance; the decisions hold the detail. */
export const ActionTaken = z.enum(['none', 'ip_blocked', 'rate_limited', 'quarantined']);
export type ActionTaken = z.infer<typeof ActionTaken>;

/** Sent when an episode opens and again when it changes; the controller stores it by upsert on `id`. */
export const Alert = z.strictObject({
  id: AlertId,
  /** Rises with every change of the same alert, so that an old copy never overwrites a new one. */
  revision: z.int().min(0),
  alert_type: AlertType,
  class: TrafficClass,
  severity: Severity,
  /** Highest score of the episode. */
  score: z.number().min(0).max(1),
  device: DeviceRef,
  /** The other end that the evidence points to; null where there is not one (a spoofed flood). */
  peer: IpAddress.nullable(),
  first_seen_at: Instant,
  last_seen_at: Instant,
  /** Attack predictions in the episode. */
  count: z.int().min(1),
  /** One sentence: what, who, whom, how sure. */
  message: z.string().max(500),
  explanation: Explanation.nullable(),
  /** Flows of the window that opened the episode, oldest first. */
  evidence: z.array(FlowSummary).max(10),
  prediction_id: PredictionId,
  rule_id: RuleId.nullable(),
  decision_ids: z.array(DecisionId).max(20),
  action_taken: ActionTaken,
  /** True where `action_taken` was only counted, not done. */
  simulated: z.boolean(),
  source: TrafficSource,
  model_version: z.string().max(100),
});
export type Alert = z.infer<typeof Alert>;
