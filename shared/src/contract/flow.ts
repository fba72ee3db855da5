/** A flow, or a report of one that still lives, as an agent sends it. */
import { z } from 'zod';
import { DeviceRef, FlowDirection, Instant, IpAddress, Port, TrafficSource } from './address.ts';

export const FlowEnd = z
  .enum(['report', 'closed', 'reset', 'idle', 'timeout', 'evicted', 'end_of_input'])
  .describe(
    'Why a flow was handed over. `report`: it still lives; a later report or ending of the same `flow_id` replaces this one.',
  );
export type FlowEnd = z.infer<typeof FlowEnd>;

/** Unique within a gateway: boot id and a running number. */
export const FlowId = z.string().regex(/^[0-9a-f-]{36}\.[0-9]{1,15}$/);
export type FlowId = z.infer<typeof FlowId>;

export const Flow = z
  .strictObject({
    flow_id: FlowId,
    report_number: z.int().min(0).describe('0 for the first hand-over, rising; stored by upsert, never summed.'),
    end: FlowEnd,
    device: DeviceRef,
    direction: FlowDirection,
    started_at: Instant,
    last_packet_at: Instant.describe('Time of the last packet.'),
    src_ip: IpAddress,
    src_port: Port,
    dst_ip: IpAddress,
    dst_port: Port,
    protocol: z.int().min(0).max(255).describe('IP protocol number.'),
    fwd_packets: z.int().min(0),
    bwd_packets: z.int().min(0),
    fwd_bytes: z.number().min(0).describe('Payload bytes.'),
    bwd_bytes: z.number().min(0).describe('Payload bytes.'),
    source: TrafficSource,
    is_relayed: z
      .literal(true)
      .optional()
      .describe(
        'A router brought it, so that nobody saw `src_ip` send it. Left out where it was seen, or nobody could tell.',
      ),
    features: z
      .base64()
      .length(416)
      .describe('The 78 features as little-endian float32, base64: 312 bytes. Integers above 2^24 lose digits.'),
  })
  .meta({ id: 'Flow' });
export type Flow = z.infer<typeof Flow>;

/** Community ID v1, by which Zeek, Suricata and others name the same conversation. */
export const CommunityId = z.string().regex(/^1:[A-Za-z0-9+/]{27}=$/, 'a Community ID of version 1');
export type CommunityId = z.infer<typeof CommunityId>;

/** What one side of an alert or window needs to name a flow. */
export const FlowSummary = Flow.pick({
  flow_id: true,
  started_at: true,
  last_packet_at: true,
  src_ip: true,
  src_port: true,
  dst_ip: true,
  dst_port: true,
  protocol: true,
  direction: true,
  fwd_packets: true,
  bwd_packets: true,
  fwd_bytes: true,
  bwd_bytes: true,
})
  .extend({
    community_id: CommunityId.optional().describe(
      "To find the flow in other tools; evidence of an alert has it, an older agent's has not.",
    ),
  })
  .meta({ id: 'FlowSummary' });
export type FlowSummary = z.infer<typeof FlowSummary>;
