/** Flow batches for tests, from what a person would write down about a flow. */
import ipaddr from 'ipaddr.js';
import { FlowEnd } from '@picket/shared/contract/flow';
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import { createFlowBatch, type FlowBatch } from '../features/flow-batch.ts';

export interface FlowRow {
  readonly src: string;
  readonly dst: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly protocol?: number;
  readonly icmp?: { readonly type: number; readonly code: number };
  readonly flowNumber?: number;
  readonly reportNumber?: number;
  readonly end?: FlowEnd;
  readonly startedAtUs?: number;
  readonly lastPacketAtUs?: number;
  /** Default: with the last packet. */
  readonly handedOverAtUs?: number;
  readonly srcMac?: string;
  readonly dstMac?: string;
  /** By name in the CIC-IDS2017 tables; 0 where nothing is said. */
  readonly features?: Readonly<Record<string, number>>;
}

export function flowBatchOf(rows: readonly FlowRow[]): FlowBatch {
  const batch = createFlowBatch(rows.length);
  batch.count = rows.length;
  for (const [index, row] of rows.entries()) {
    const src = ipaddr.parse(row.src).toByteArray();
    const dst = ipaddr.parse(row.dst).toByteArray();
    batch.srcAddress.set(src, index * 16 + 16 - src.length);
    batch.dstAddress.set(dst, index * 16 + 16 - dst.length);
    batch.family[index] = src.length === 4 ? 4 : 6;
    batch.srcPort[index] = row.srcPort ?? 40_000;
    batch.dstPort[index] = row.dstPort ?? 80;
    batch.protocol[index] = row.protocol ?? 6;
    batch.icmp[index] = row.icmp === undefined ? 0 : (row.icmp.type << 8) | row.icmp.code;
    batch.flowNumber[index] = row.flowNumber ?? index;
    batch.reportNumber[index] = row.reportNumber ?? 0;
    batch.end[index] = FlowEnd.options.indexOf(row.end ?? 'closed');
    batch.lastPacketAtUs[index] = row.lastPacketAtUs ?? 0;
    batch.handedOverAtUs[index] = row.handedOverAtUs ?? row.lastPacketAtUs ?? 0;
    batch.startedAtUs[index] = row.startedAtUs ?? row.lastPacketAtUs ?? 0;
    batch.srcMac.set(macBytes(row.srcMac), index * 6);
    batch.dstMac.set(macBytes(row.dstMac), index * 6);
    for (const [name, value] of Object.entries(row.features ?? {})) {
      const column = featureNames.indexOf(name);
      if (column < 0) throw new Error(`no feature is named "${name}"`);
      batch.features[index * featureCount + column] = value;
    }
  }
  return batch;
}

function macBytes(text = '00:00:00:00:00:00'): readonly number[] {
  return text.split(':').map((octet) => Number.parseInt(octet, 16));
}
