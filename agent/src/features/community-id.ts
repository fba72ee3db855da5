/**
 * Community ID v1: the name that Zeek, Suricata and others give the same conversation, so that an analyst finds our flow
 * there. https://github.com/corelight/community-id-spec, seed 0. Made only of flows that somebody looks at.
 */
import { createHash } from 'node:crypto';
import { ipProtocol } from '../packet/packet-fields.ts';
import type { FlowBatch } from './flow-batch.ts';

/** The ends of a flow as they stand in its first packet. */
export interface FlowEnds {
  /** IP protocol number. */
  readonly protocol: number;
  /** 4 or 16 bytes, both of one family. */
  readonly src: Uint8Array;
  readonly dst: Uint8Array;
  readonly srcPort: number;
  readonly dstPort: number;
  /** Type and code of an ICMP message, `type << 8 | code`. */
  readonly icmp: number;
}

const { icmp, tcp, udp, icmp6, sctp } = ipProtocol;
const portProtocols: ReadonlySet<number> = new Set([icmp, tcp, udp, icmp6, sctp]);

/** Message types that ask, and what answers them; the spec takes both for one conversation, and every other for one way. */
const icmpPairs: readonly (readonly [number, number])[] = [
  [8, 0],
  [10, 9],
  [13, 14],
  [15, 16],
  [17, 18],
];
const icmp6Pairs: readonly (readonly [number, number])[] = [
  [128, 129],
  [130, 131],
  [133, 134],
  [135, 136],
  [139, 140],
  [144, 145],
];
const counterparts: Readonly<Record<number, ReadonlyMap<number, number>>> = {
  [icmp]: bothWays(icmpPairs),
  [icmp6]: bothWays(icmp6Pairs),
};

/** `1:` and the base64 of a SHA-1; the same for both directions. */
export function communityId(ends: FlowEnds): string {
  const { protocol } = ends;
  let { src, dst, srcPort, dstPort } = ends;
  let isOneWay = false;
  const answers = counterparts[protocol];
  if (answers !== undefined) {
    const type = ends.icmp >> 8;
    const answer = answers.get(type);
    isOneWay = answer === undefined;
    srcPort = type;
    dstPort = answer ?? ends.icmp & 0xff;
  }
  const order = Buffer.compare(src, dst);
  if (!isOneWay && (order > 0 || (order === 0 && srcPort > dstPort))) {
    [src, dst] = [dst, src];
    [srcPort, dstPort] = [dstPort, srcPort];
  }
  const hash = createHash('sha1')
    .update(Uint8Array.of(0, 0))
    .update(src)
    .update(dst)
    .update(Uint8Array.of(protocol, 0));
  if (portProtocols.has(protocol)) {
    hash.update(Uint8Array.of(srcPort >> 8, srcPort & 0xff, dstPort >> 8, dstPort & 0xff));
  }
  return `1:${hash.digest('base64')}`;
}

/** Of one row; null where a profile does not tell protocols apart (`reference` endings), for then the flow has no single id. */
export function communityIdOfRow(batch: FlowBatch, row: number): string | null {
  const protocol = batch.protocol[row]!;
  if (protocol === 0) return null;
  const first = row * 16 + (batch.family[row] === 4 ? 12 : 0);
  const last = row * 16 + 16;
  return communityId({
    protocol,
    src: batch.srcAddress.subarray(first, last),
    dst: batch.dstAddress.subarray(first, last),
    srcPort: batch.srcPort[row]!,
    dstPort: batch.dstPort[row]!,
    icmp: batch.icmp[row]!,
  });
}

function bothWays(pairs: readonly (readonly [number, number])[]): ReadonlyMap<number, number> {
  return new Map(pairs.flatMap(([one, other]) => [[one, other] as const, [other, one] as const]));
}
