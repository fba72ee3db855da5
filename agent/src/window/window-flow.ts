/** One flow of a window in plain values: what a verdict looks at and an alert shows as evidence. */
import ipaddr from 'ipaddr.js';
import type { FlowDirection } from '@picket/shared/contract/address';
import type { FlowEnd, FlowSummary } from '@picket/shared/contract/flow';
import type { BootId } from '@picket/shared/contract/identifiers';
import { communityId } from '../features/community-id.ts';
import { instantOf } from './packet-time.ts';

export interface WindowFlow {
  readonly flowNumber: number;
  readonly reportNumber: number;
  /** Why it was handed over last. */
  readonly end: FlowEnd;
  readonly startedAtUs: number;
  readonly lastPacketAtUs: number;
  readonly srcIp: string;
  readonly srcPort: number;
  readonly dstIp: string;
  readonly dstPort: number;
  /** IP protocol number. */
  readonly protocol: number;
  /** ICMP type and code of the first packet, `type << 8 | code`; 0 for anything else. */
  readonly icmp: number;
  /** Seen from the window's device. */
  readonly direction: FlowDirection;
  /** A router brought it: that `srcIp` sent it was not seen. False where that cannot be told. */
  readonly isRelayed: boolean;
  /** That `srcIp` sent with; null where the link has none, or only answers were seen. */
  readonly srcMac: string | null;
  /** New flows of the window's device, and of it with this peer, when this one was handed over last: 0 to 100, fading. */
  readonly recentOfDevice: number;
  readonly recentOfPeer: number;
  /** First packet of the device's first flow that this gateway saw, and of its first flow with this peer. */
  readonly deviceSinceUs: number;
  readonly peerSinceUs: number;
  readonly fwdPackets: number;
  readonly bwdPackets: number;
  /** Payload. */
  readonly fwdBytes: number;
  readonly bwdBytes: number;
  /** Packets with SYN and with ACK set, both ways. */
  readonly synPackets: number;
  readonly ackPackets: number;
}

/** The flow's name within the gateway. */
export function flowIdOf(flowNumber: number, bootId: BootId): string {
  return `${bootId}.${flowNumber}`;
}

export function flowSummaryOf(flow: WindowFlow, bootId: BootId): FlowSummary {
  return {
    flow_id: flowIdOf(flow.flowNumber, bootId),
    started_at: instantOf(flow.startedAtUs),
    last_packet_at: instantOf(flow.lastPacketAtUs),
    src_ip: flow.srcIp,
    src_port: flow.srcPort,
    dst_ip: flow.dstIp,
    dst_port: flow.dstPort,
    protocol: flow.protocol,
    direction: flow.direction,
    fwd_packets: flow.fwdPackets,
    bwd_packets: flow.bwdPackets,
    fwd_bytes: flow.fwdBytes,
    bwd_bytes: flow.bwdBytes,
  };
}

/** The same with the name that other tools have for the flow: what an analyst follows into Zeek or Suricata. */
export function evidenceOf(flow: WindowFlow, bootId: BootId): FlowSummary {
  const { protocol, srcPort, dstPort, icmp } = flow;
  const src = Uint8Array.from(ipaddr.parse(flow.srcIp).toByteArray());
  const dst = Uint8Array.from(ipaddr.parse(flow.dstIp).toByteArray());
  return {
    ...flowSummaryOf(flow, bootId),
    community_id: communityId({ protocol, src, dst, srcPort, dstPort, icmp }),
  };
}
