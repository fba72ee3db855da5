/** Flows as the API shows them. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { FlowDirection, Instant, TrafficSource } from './address.ts';
import { FlowEnd, FlowId } from './flow.ts';
import { DeviceId, GatewayId } from './identifiers.ts';

export const StoredFlow = z
  .object({
    id: FlowId,
    gateway_id: GatewayId,
    device_id: DeviceId,
    recorded_at: Instant.describe(
      "By the gateway's clock when it was reported; `started_at` and `last_packet_at` are packet times.",
    ),
    report_number: z.int().describe('0 for its first hand-over; a flow that lives on rises.'),
    end: FlowEnd,
    direction: FlowDirection,
    started_at: Instant,
    last_packet_at: Instant,
    src_ip: z.string(),
    src_port: z.int().describe('0 where the protocol has none.'),
    dst_ip: z.string(),
    dst_port: z.int().describe('0 where the protocol has none.'),
    protocol: z.int().describe('IP protocol number.'),
    fwd_packets: z.number().describe('From `src_ip`.'),
    bwd_packets: z.number().describe('To `src_ip`.'),
    fwd_bytes: z.number().describe('Payload bytes from `src_ip`.'),
    bwd_bytes: z.number().describe('Payload bytes to `src_ip`.'),
    source: TrafficSource,
    class: TrafficClass.nullable().describe(
      'Class of the worst attack prediction that saw this flow; null: no attack prediction did.',
    ),
    score: z.number().nullable().describe('Score of that prediction, 0 to 1.'),
    features: z
      .array(z.number().nullable())
      .optional()
      .describe('With `?features=true`: the 78 numbers. Not-finite ones are null.'),
  })
  .meta({ id: 'StoredFlow' });
export type StoredFlow = z.infer<typeof StoredFlow>;
