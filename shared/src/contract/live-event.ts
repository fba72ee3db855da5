/** What the WebSockets send. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { Instant } from './address.ts';
import { Alert } from './alert.ts';

export const LivePrediction = z.strictObject({
  type: z.literal('prediction'),
  data: z.strictObject({
    device_id: z.string(),
    device_name: z.string(),
    gateway_id: z.string(),
    score: z.number(),
    label: z.string(),
    class: TrafficClass,
    confidence: z.number(),
    timestamp: Instant,
  }),
});

/** `data` is the alert or decision as the REST API shows it. */
export const LiveEvent = z.discriminatedUnion('type', [
  LivePrediction,
  z.strictObject({ type: z.literal('alert_created'), data: z.record(z.string(), z.unknown()) }),
  z.strictObject({
    type: z.literal('alert_updated'),
    data: z.record(z.string(), z.unknown()),
    before: Alert.pick({ score: true, severity: true, is_plain: true })
      .optional()
      .describe('What was known before its agent became surer of it.'),
  }),
  z.strictObject({ type: z.literal('alert_resolved'), data: z.record(z.string(), z.unknown()) }),
  /** Its attack came back after it was resolved. */
  z.strictObject({ type: z.literal('alert_reopened'), data: z.record(z.string(), z.unknown()) }),
  z.strictObject({ type: z.literal('decision_changed'), data: z.record(z.string(), z.unknown()) }),
  z.strictObject({ type: z.literal('unblock_changed'), data: z.record(z.string(), z.unknown()) }),
  z.strictObject({ type: z.literal('rollout_changed'), data: z.record(z.string(), z.unknown()) }),
  z.strictObject({ type: z.literal('gateway_status'), data: z.record(z.string(), z.unknown()) }),
  z.strictObject({ type: z.literal('device_status'), data: z.record(z.string(), z.unknown()) }),
  /** The socket was too slow: this many events were left out. */
  z.strictObject({
    type: z.literal('dropped'),
    data: z.strictObject({
      events: z.int().min(1).describe('How many events were left out because this socket was too slow.'),
    }),
  }),
]);
export type LiveEvent = z.infer<typeof LiveEvent>;
