/** Flows as JSON, one object a line. */
import { FlowEnd } from '@picket/shared/contract/flow';
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import { addressText } from '../devices/flow-address.ts';
import { communityIdOfRow } from '../features/community-id.ts';
import type { FlowBatch } from '../features/flow-batch.ts';

/** A feature that is no finite number is null. */
export function jsonLines(batch: FlowBatch, withCommunityId = false): string {
  const lines: string[] = [];
  for (let row = 0; row < batch.count; row++) {
    const features: Record<string, number> = {};
    for (const [column, name] of featureNames.entries()) {
      features[name] = batch.features[row * featureCount + column]!;
    }
    const flow = {
      src_ip: addressText(batch.srcAddress, row, batch.family[row]!),
      src_port: batch.srcPort[row],
      dst_ip: addressText(batch.dstAddress, row, batch.family[row]!),
      dst_port: batch.dstPort[row],
      protocol: batch.protocol[row],
      started_at: instantOf(batch.startedAtUs[row]!),
      last_packet_at: instantOf(batch.lastPacketAtUs[row]!),
      flow_number: batch.flowNumber[row],
      report_number: batch.reportNumber[row],
      end: FlowEnd.options[batch.end[row]!],
      features,
      ...(withCommunityId ? { community_id: communityIdOfRow(batch, row) } : {}),
    };
    lines.push(`${JSON.stringify(flow)}\n`);
  }
  return lines.join('');
}

/** ISO 8601 with µs. */
function instantOf(timeUs: number): string {
  const ms = Math.floor(timeUs / 1000);
  const us = String(timeUs - ms * 1000).padStart(3, '0');
  return `${new Date(ms).toISOString().slice(0, -1)}${us}Z`;
}
