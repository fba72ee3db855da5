/** A flow, or a report of one that still lives, as an agent sends it. */
import { z } from 'zod';
import { DeviceRef, FlowDirection, Instant, IpAddress, Port, TrafficSource } from './address.ts';

/**
 * Why a flow was handed over. `report`: it still lives; a later report or ending of the same `flow_id` replaces this one.
 */
export const FlowEnd = z.enum(['report', 'closed', 'reset', 'idle', 'timeout', 'evicted', 'end_of_input']);
export type FlowEnd = z.infer<typeof FlowEnd>;

/** Unique within a gateway: boot id and a running number. */
export const FlowId = z.string().regex(/^[0-9a-f-]{36}\.[0-9]{1,15}$/);
export type FlowId = z.infer<typeof FlowId>;

export const Flow = z.strictObject({
  flow_id: FlowId,
  /** 0 for the first hand-over, rising; stored by upsert, never summed. */
  report_number: z.int().min(0),
  end: FlowEnd,
  device: DeviceRef,
  direction: FlowDirection,
  started_at: Instant,
  /** Time of the last packet. */
  last_packet_at: Instant,
  src_ip: IpAddress,
  src_port: Port,
  dst_ip: IpAddress,
  dst_port: Port,
  /** IP protocol number. */
  protocol: z.int().min(0).max(255),
  fwd_packets: z.int().min(0),
  bwd_packets: z.int().min(0),
  /** Payload bytes. */
  fwd_bytes: z.number().min(0),
  bwd_bytes: z.number().min(0),
  source: TrafficSource,
  /** A router brought it, so that nobody saw `src_ip` send it. Left out where it was seen, or nobody could tell. */
  is_relayed: z.literal(true).optional(),
  /** The 78 features as little-endian float32, base64: 312 bytes. Integers above 2^24 lose digits. */
  features: z.base64().length(416),
});
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
}).extend({
  /** To find the flow in other tools; evidence of an alert has it, an older agent's has not. */
  community_id: CommunityId.optional(),
});
export type FlowSummary = z.infer<typeof FlowSummary>;
