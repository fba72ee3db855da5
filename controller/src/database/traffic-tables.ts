/**
 * What crossed the gateways: flows with their features, the worst that was said of each, and the counts by minute of
 * everything: migration 0003; `is_relayed` is 0008's. Packet times stand beside `recorded_at`, for those of a replay may be
 * years old.
 */
import type { Flow } from '@picket/shared/contract/flow';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';

export interface TrafficTables {
  flows: FlowRow;
  flow_labels: FlowLabelRow;
  minute_counters: MinuteCounterRow;
}

export interface FlowRow {
  gateway_id: string;
  flow_id: string;
  device_id: string;
  report_number: number;
  end_reason: Flow['end'];
  direction: Flow['direction'];
  started_at: string;
  last_packet_at: string;
  src_ip: string;
  src_port: number;
  dst_ip: string;
  dst_port: number;
  protocol: number;
  fwd_packets: number;
  bwd_packets: number;
  fwd_bytes: number;
  bwd_bytes: number;
  source: Flow['source'];
  /** 1: a router brought it, so that nobody saw its source send it. Null: it was seen, or nobody could tell. */
  is_relayed: 1 | null;
  /** 78 float32, little-endian. */
  features: Uint8Array;
  recorded_at: string;
}

/** What the worst attack prediction that saw a flow said of it. Apart from `flows`, for either may arrive first. */
export interface FlowLabelRow {
  gateway_id: string;
  flow_id: string;
  class: TrafficClass;
  score: number;
  prediction_id: string;
  recorded_at: string;
}

/** What the gateways counted of all traffic, whether or not it was reported one by one. */
export interface MinuteCounterRow {
  device_id: string;
  gateway_id: string;
  minute: string;
  source: Flow['source'];
  flows: number;
  packets: number;
  bytes: number;
  predictions: number;
  attacks: number;
  max_score: number;
  recorded_at: string;
}
