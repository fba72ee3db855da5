/** Alerts as the API shows them, with the work that people do on them. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { Alert, AlertStatus, Severity } from './alert.ts';
import { DeviceId, GatewayId } from './identifiers.ts';
import { StoredDecision } from './stored-decision.ts';

/** One line of a list: an alert without evidence and explanation. */
export const StoredAlert = Alert.omit({ device: true, class: true, explanation: true, evidence: true })
  .extend({
    gateway_id: GatewayId,
    /** Null once the device was deleted. */
    device_id: DeviceId.nullable(),
    device_name: z.string(),
    device_address: z.string(),
    attack_type: Alert.shape.class,
    /** What was seen, in one plain sentence; empty where there is no explanation. The detail holds the reasons. */
    summary: z.string(),
    /** Same as severity, as the first API named it. */
    risk_level: Severity,
    status: AlertStatus,
    is_acknowledged: z.boolean(),
    acknowledged_by: z.string().nullable(),
    acknowledged_at: Instant.nullable(),
    assignee: z.string().nullable(),
    tags: z.array(z.string()),
    resolved_by: z.string().nullable(),
    resolved_at: Instant.nullable(),
    resolution_notes: z.string().nullable(),
    /** When its first and its latest copy were recorded, by the gateway's clock. */
    created_at: Instant,
    recorded_at: Instant,
  })
  .strip();
export type StoredAlert = z.infer<typeof StoredAlert>;

export const AlertStep = z.object({
  who: z.string(),
  from: AlertStatus,
  to: AlertStatus,
  note: z.string().nullable(),
  at: Instant,
});
export type AlertStep = z.infer<typeof AlertStep>;

export const AlertDetail = StoredAlert.extend({
  explanation: Alert.shape.explanation,
  evidence: Alert.shape.evidence,
  decisions: z.array(StoredDecision),
  history: z.array(AlertStep),
  /** Other alerts of the same device or peer, newest first. */
  related: z.array(StoredAlert),
});
export type AlertDetail = z.infer<typeof AlertDetail>;

export const Acknowledgement = z.strictObject({ note: z.string().max(1000).optional() });
export type Acknowledgement = z.infer<typeof Acknowledgement>;

export const Resolution = z.strictObject({
  resolution: z.enum(['resolved', 'false_positive']).default('resolved'),
  notes: z.string().max(1000).optional(),
});
export type Resolution = z.infer<typeof Resolution>;

export const AlertChange = z.strictObject({
  status: AlertStatus.optional(),
  /** User name; null: nobody. */
  assignee: z.string().min(1).max(100).nullable().optional(),
  severity: Severity.optional(),
  tags: z.array(z.string().trim().min(1).max(50)).max(20).optional(),
  note: z.string().max(1000).optional(),
});
export type AlertChange = z.infer<typeof AlertChange>;

const counts = z.record(z.string(), z.number());

export const AlertStats = z.object({
  total: z.number(),
  by_type: counts,
  by_class: counts,
  by_severity: counts,
  by_status: counts,
  /** Start of each bucket, oldest first. */
  timeline: z.array(z.object({ at: Instant, count: z.number() })),
});
export type AlertStats = z.infer<typeof AlertStats>;
