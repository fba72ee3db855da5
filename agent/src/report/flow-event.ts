/** Flows as the controller keeps them: who, when, how much, and the 78 features packed as float32. */
import type { DeviceRef, FlowDirection, TrafficSource } from '@picket/shared/contract/address';
import { Flow, FlowEnd } from '@picket/shared/contract/flow';
import type { BootId } from '@picket/shared/contract/identifiers';
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import { addressText } from '../devices/flow-address.ts';
import type { FlowBatch } from '../features/flow-batch.ts';
import { instantOf } from '../window/packet-time.ts';
import { flowIdOf, flowSummaryOf, type WindowFlow } from '../window/window-flow.ts';

/** Columns of the feature row that are also facts of their own. */
const column = {
  fwdPackets: featureNames.indexOf('Total Fwd Packets'),
  bwdPackets: featureNames.indexOf('Total Backward Packets'),
  fwdBytes: featureNames.indexOf('Total Length of Fwd Packets'),
  bwdBytes: featureNames.indexOf('Total Length of Bwd Packets'),
} as const;

export interface FlowOwner {
  readonly device: DeviceRef;
  readonly direction: FlowDirection;
  readonly source: TrafficSource;
  /** As `Flow.is_relayed` has it. */
  readonly isRelayed: boolean;
}

/** 78 numbers as little-endian float32, base64. What is no finite number becomes 0, as the network sees it. */
export function packFeatures(features: Float64Array | Float32Array, offset: number): string {
  const packed = Buffer.alloc(featureCount * 4);
  for (let index = 0; index < featureCount; index++) {
    const value = features[offset + index]!;
    packed.writeFloatLE(Number.isFinite(value) ? value : 0, index * 4);
  }
  return packed.toString('base64');
}

/** Payload and packets of both directions, of one row. */
export function volumeOf(batch: FlowBatch, row: number): { readonly packets: number; readonly bytes: number } {
  const first = row * featureCount;
  return {
    packets: batch.features[first + column.fwdPackets]! + batch.features[first + column.bwdPackets]!,
    bytes: batch.features[first + column.fwdBytes]! + batch.features[first + column.bwdBytes]!,
  };
}

export function flowOfRow(batch: FlowBatch, row: number, owner: FlowOwner, bootId: BootId): Flow {
  const first = row * featureCount;
  const family = batch.family[row]!;
  return {
    flow_id: flowIdOf(batch.flowNumber[row]!, bootId),
    report_number: batch.reportNumber[row]!,
    end: FlowEnd.options[batch.end[row]!] ?? 'report',
    device: { address: owner.device.address, mac: owner.device.mac },
    direction: owner.direction,
    started_at: instantOf(batch.startedAtUs[row]!),
    last_packet_at: instantOf(batch.lastPacketAtUs[row]!),
    src_ip: addressText(batch.srcAddress, row, family),
    src_port: batch.srcPort[row]!,
    dst_ip: addressText(batch.dstAddress, row, family),
    dst_port: batch.dstPort[row]!,
    protocol: batch.protocol[row]!,
    fwd_packets: batch.features[first + column.fwdPackets]!,
    bwd_packets: batch.features[first + column.bwdPackets]!,
    fwd_bytes: batch.features[first + column.fwdBytes]!,
    bwd_bytes: batch.features[first + column.bwdBytes]!,
    source: owner.source,
    ...(owner.isRelayed ? { is_relayed: true } : {}),
    features: packFeatures(batch.features, first),
  };
}

/** A flow as it stood in a scored window. `features`: the window; `slot`: its place in it, 0 to 9. */
export function flowOfWindow(
  flow: WindowFlow,
  features: Float32Array,
  slot: number,
  owner: Pick<FlowOwner, 'device' | 'source'>,
  bootId: BootId,
): Flow {
  return {
    ...flowSummaryOf(flow, bootId),
    report_number: flow.reportNumber,
    end: flow.end,
    device: owner.device,
    source: owner.source,
    ...(flow.isRelayed ? { is_relayed: true } : {}),
    features: packFeatures(features, slot * featureCount),
  };
}
