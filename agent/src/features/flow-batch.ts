/**
 * Finished and reported flows with their features, as columns: what leaves the packet worker. Typed arrays, so that a
 * batch is handed between threads without a copy.
 */
import { featureCount } from '@picket/shared/features/feature-schema';

/** Columns of `count` flows; a column may be longer than `count`. */
export interface FlowBatch {
  readonly count: number;
  /** count × 78, row by row, unmasked and unscaled; NaN and infinities stand as the profile has them. */
  readonly features: Float64Array<ArrayBuffer>;
  /** Packet time in µs since 1970. */
  readonly startedAtUs: Float64Array<ArrayBuffer>;
  readonly lastPacketAtUs: Float64Array<ArrayBuffer>;
  /**
   * Packet time in µs at which it was handed over. From one flow to the next it goes back only where a clock was set
   * back, by more than 10 s.
   */
  readonly handedOverAtUs: Float64Array<ArrayBuffer>;
  /** Running number of the flow within this meter; a flow keeps it through all its reports. */
  readonly flowNumber: Float64Array<ArrayBuffer>;
  readonly reportNumber: Uint32Array<ArrayBuffer>;
  /** Index into `FlowEnd.options`. */
  readonly end: Uint8Array<ArrayBuffer>;
  /**
   * 16 bytes each; IPv4 in the last four, the others 0. `src` is the forward side: who sent the first packet, unless
   * that was a SYN+ACK or continues a conversation that was cut at 120 s.
   */
  readonly srcAddress: Uint8Array<ArrayBuffer>;
  readonly dstAddress: Uint8Array<ArrayBuffer>;
  /** 4 or 6. */
  readonly family: Uint8Array<ArrayBuffer>;
  readonly srcPort: Uint16Array<ArrayBuffer>;
  readonly dstPort: Uint16Array<ArrayBuffer>;
  /** IP protocol number; with `reference` endings as the profile tells protocols apart, 0 for all others. */
  readonly protocol: Uint8Array<ArrayBuffer>;
  /** Type and code of the first packet, `type << 8 | code`; 0 for anything but ICMP and ICMPv6. */
  readonly icmp: Uint16Array<ArrayBuffer>;
  /**
   * 6 bytes each, of the conversation's first packet; all zero where the link has none. A conversation that was first
   * seen by its answer has no `srcMac`, for its source had sent nothing yet: then `dstMac` is who sent that answer.
   */
  readonly srcMac: Uint8Array<ArrayBuffer>;
  readonly dstMac: Uint8Array<ArrayBuffer>;
}

/** An empty batch with room for `capacity` flows. */
export function createFlowBatch(capacity: number): FlowBatch & { count: number } {
  return {
    count: 0,
    features: new Float64Array(capacity * featureCount),
    startedAtUs: new Float64Array(capacity),
    lastPacketAtUs: new Float64Array(capacity),
    handedOverAtUs: new Float64Array(capacity),
    flowNumber: new Float64Array(capacity),
    reportNumber: new Uint32Array(capacity),
    end: new Uint8Array(capacity),
    srcAddress: new Uint8Array(capacity * 16),
    dstAddress: new Uint8Array(capacity * 16),
    family: new Uint8Array(capacity),
    srcPort: new Uint16Array(capacity),
    dstPort: new Uint16Array(capacity),
    protocol: new Uint8Array(capacity),
    icmp: new Uint16Array(capacity),
    srcMac: new Uint8Array(capacity * 6),
    dstMac: new Uint8Array(capacity * 6),
  };
}

/** The buffers of a batch, for a transfer list. */
export function flowBatchBuffers(batch: FlowBatch): ArrayBuffer[] {
  return Object.values(batch)
    .filter((column): column is Float64Array<ArrayBuffer> => typeof column !== 'number')
    .map((column) => column.buffer);
}
