/** Flows as the API shows them. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { FlowDirection, Instant, TrafficSource } from './address.ts';
import { FlowEnd, FlowId } from './flow.ts';
import { DeviceId, GatewayId } from './identifiers.ts';

export const StoredFlow = z.object({
  id: FlowId,
  gateway_id: GatewayId,
  device_id: DeviceId,
  /** By the gateway's clock when it was reported; `started_at` and `last_packet_at` are packet times. */
  recorded_at: Instant,
  report_number: z.int(),
  end: FlowEnd,
  direction: FlowDirection,
  started_at: Instant,
  last_packet_at: Instant,
  src_ip: z.string(),
  src_port: z.int(),
  dst_ip: z.string(),
  dst_port: z.int(),
  protocol: z.int(),
  fwd_packets: z.number(),
  bwd_packets: z.number(),
  fwd_bytes: z.number(),
  bwd_bytes: z.number(),
  source: TrafficSource,
  /** Of the worst attack prediction that saw this flow; null: no attack prediction did. */
  class: TrafficClass.nullable(),
  score: z.number().nullable(),
  /** With `?features=true`: the 78 numbers. Not-finite ones are null. */
  features: z.array(z.number().nullable()).optional(),
});
export type StoredFlow = z.infer<typeof StoredFlow>;
