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
    device_id: DeviceId.nullable().describe('Null once the device was deleted.'),
    device_name: z.string().describe('As it was called last.'),
    device_address: z.string(),
    attack_type: Alert.shape.class.describe('Class of the attack.'),
    summary: z
      .string()
      .describe(
        'What was seen, in one plain sentence; empty where there is no explanation. The detail holds the reasons.',
      ),
    risk_level: Severity.describe('Same as severity, as the first API named it.'),
    status: AlertStatus.describe(
      'Where its attack comes back (`returns` rises), `resolved` becomes `active` again and every other status stays.',
    ),
    is_acknowledged: z.boolean().describe('Somebody has said that they saw it.'),
    acknowledged_by: z.string().nullable().describe('User name; null: nobody yet.'),
    acknowledged_at: Instant.nullable(),
    assignee: z.string().nullable().describe('User name; null: nobody.'),
    tags: z.array(z.string()).describe('Words of the analysts.'),
    resolved_by: z.string().nullable().describe('User name; null: it is open.'),
    resolved_at: Instant.nullable(),
    resolution_notes: z.string().nullable().describe('What was written when it was closed.'),
    created_at: Instant.describe("When its first copy was recorded, by the gateway's clock."),
    raised_at: Instant.describe(
      "When it last asked for somebody's eyes, the order of lists: recorded first, came back, became graver, opened again, or still going on an hour after the time before. By the controller's clock.",
    ),
    recorded_at: Instant.describe("When its latest copy was recorded, by the gateway's clock."),
  })
  .strip()
  .meta({ id: 'StoredAlert' });
export type StoredAlert = z.infer<typeof StoredAlert>;

export const AlertStep = z
  .object({
    who: z.string().describe('User name; `gateway <id>` where its attack came back after it was resolved.'),
    from: AlertStatus,
    to: AlertStatus,
    note: z.string().nullable(),
    at: Instant,
  })
  .meta({ id: 'AlertStep' });
export type AlertStep = z.infer<typeof AlertStep>;

export const AlertDetail = StoredAlert.extend({
  explanation: Alert.shape.explanation,
  evidence: Alert.shape.evidence,
  decisions: z.array(StoredDecision).describe('Made for it, oldest first; the latest 100.'),
  history: z.array(AlertStep).describe('Steps of the work on it, oldest first.'),
  related: z.array(StoredAlert).describe('Other alerts of the same device or peer, in the order of lists.'),
}).meta({ id: 'AlertDetail' });
export type AlertDetail = z.infer<typeof AlertDetail>;

export const Acknowledgement = z
  .strictObject({
    note: z.string().max(1000).optional().describe('Kept in its history.'),
  })
  .meta({ id: 'Acknowledgement' });
export type Acknowledgement = z.infer<typeof Acknowledgement>;

export const Resolution = z
  .strictObject({
    resolution: z
      .enum(['resolved', 'false_positive'])
      .default('resolved')
      .describe('Where its attack comes back, `resolved` is open again and `false_positive` stays closed.'),
    notes: z.string().max(1000).optional().describe('Kept with the alert and in its history.'),
  })
  .meta({ id: 'Resolution' });
export type Resolution = z.infer<typeof Resolution>;

export const AlertChange = z
  .strictObject({
    status: AlertStatus.optional(),
    assignee: z.string().min(1).max(100).nullable().optional().describe('User name; null: nobody.'),
    severity: Severity.optional(),
    tags: z
      .array(z.string().trim().min(1).max(50))
      .max(20)
      .optional()
      .describe('In place of those it has; at most 20.'),
    note: z.string().max(1000).optional().describe('Kept in its history.'),
  })
  .meta({ id: 'AlertChange' });
export type AlertChange = z.infer<typeof AlertChange>;

const counts = z.record(z.string(), z.number());

export const AlertStats = z
  .object({
    total: z.number().describe('Alerts that the filter leaves.'),
    by_type: counts,
    by_class: counts,
    by_severity: counts,
    by_status: counts,
    timeline: z
      .array(z.object({ at: Instant.describe('Start of the bucket.'), count: z.number() }))
      .describe('Alerts by time, oldest first.'),
  })
  .meta({ id: 'AlertStats' });
export type AlertStats = z.infer<typeof AlertStats>;
