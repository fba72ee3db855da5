/** Figures of the dashboard. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { Severity } from './alert.ts';
import { Device } from './device.ts';

export const DashboardStats = z
  .object({
    threat_level: z
      .enum(['none', ...Severity.options])
      .describe('Highest severity among open alerts of the last 24 hours; `none` without one.'),
    active_devices: z
      .int()
      .describe('Seen within five minutes, behind a gateway that is online, or under attack or in quarantine.'),
    devices: z.int().describe('Known devices.'),
    attacks_today: z.int().describe('Alerts opened since midnight UTC.'),
    open_alerts: z.int().describe('Of the last 24 hours, neither resolved nor false positives.'),
    benign_rate: z
      .number()
      .nullable()
      .describe("Share of the last 24 hours' predictions that were benign, 0 to 1; null without predictions."),
    gateways: z
      .object({ enrolled: z.int(), online: z.int() })
      .describe('Enrolled and not revoked, and how many of them are online.'),
    active_decisions: z.int().describe('Neither ended nor lifted.'),
    losses: z
      .object({
        dropped_by_gateways: z.number().describe('Events that outboxes gave up, or that never came.'),
        rejected: z.number().describe('Events that arrived and could not be understood.'),
      })
      .describe('Events of gateways that are gone, or that could not be stored.'),
  })
  .meta({ id: 'DashboardStats' });
export type DashboardStats = z.infer<typeof DashboardStats>;

export const TimelineBucket = z
  .object({
    at: Instant.describe('Start of the bucket.'),
    predictions: z.number().describe('Made in this bucket, reported in full or not.'),
    attacks: z.number().describe('Predictions of attacks among them.'),
    max_score: z.number().describe('Highest score, 0 to 1.'),
    mean_score: z
      .number()
      .nullable()
      .describe('Mean score of the predictions that were reported in full; null without one.'),
  })
  .meta({ id: 'TimelineBucket' });
export type TimelineBucket = z.infer<typeof TimelineBucket>;

export const DeviceHealth = Device.pick({
  id: true,
  name: true,
  gateway_id: true,
  ip_address: true,
  device_type: true,
  status: true,
  monitored: true,
  last_seen_at: true,
  threat_count_today: true,
}).meta({ id: 'DeviceHealth' });
export type DeviceHealth = z.infer<typeof DeviceHealth>;
