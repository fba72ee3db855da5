/** Figures of the dashboard. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { Severity } from './alert.ts';
import { Device } from './device.ts';

export const DashboardStats = z.object({
  /** Highest severity among open alerts of the last 24 hours; `none` without one. */
  threat_level: z.enum(['none', ...Severity.options]),
  active_devices: z.int(),
  devices: z.int(),
  /** Alerts opened since midnight UTC. */
  attacks_today: z.int(),
  open_alerts: z.int(),
  /** Share of the last 24 hours' predictions that were benign, 0 to 1; null without predictions. */
  benign_rate: z.number().nullable(),
  gateways: z.object({ enrolled: z.int(), online: z.int() }),
  active_decisions: z.int(),
  /** Events of gateways that are gone, or that could not be stored. */
  losses: z.object({ dropped_by_gateways: z.number(), rejected: z.number() }),
});
export type DashboardStats = z.infer<typeof DashboardStats>;

export const TimelineBucket = z.object({
  /** Start of the bucket. */
  at: Instant,
  predictions: z.number(),
  attacks: z.number(),
  max_score: z.number(),
  /** Of the predictions that were reported in full; null without one. */
  mean_score: z.number().nullable(),
});
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
});
export type DeviceHealth = z.infer<typeof DeviceHealth>;
