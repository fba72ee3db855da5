/** One window as decisions are taken on it: on the gateway as it was just scored, on the controller as it was stored. */
import type { DeviceRef, FlowDirection } from '../contract/address.ts';
import type { TrafficClass } from '../features/traffic-classes.ts';

export type AttackClass = Exclude<TrafficClass, 'benign'>;

/** Attacks that are what a device says to a host outside. */
export function talksOutward(attack: TrafficClass): boolean {
  return attack === 'botnet_beacon' || attack === 'data_exfiltration';
}

export interface JudgedFlow {
  /** Packet time, µs since 1970. */
  readonly startedAtUs: number;
  readonly lastPacketAtUs: number;
  readonly srcIp: string;
  /** Left out where nobody knows. */
  readonly srcPort?: number;
  readonly dstIp: string;
  readonly dstPort: number;
  /** IP protocol number. */
  readonly protocol: number;
  /** Seen from the window's device. */
  readonly direction: FlowDirection;
  /**
   * A router brought it, so that `srcIp` sent it is not proven: who is beyond the router may have forged it. Left out
   * where nobody could tell.
   */
  readonly isRelayed?: boolean;
  /** The MAC that `srcIp` sent with: on a link anybody may speak in a neighbour's name. Null or left out where nobody knows. */
  readonly srcMac?: string | null;
  readonly fwdPackets: number;
  readonly bwdPackets: number;
  /** Payload. */
  readonly fwdBytes: number;
  readonly bwdBytes: number;
  /** Packets with SYN and with ACK set, both ways. Left out where nobody knows. */
  readonly synPackets?: number;
  readonly ackPackets?: number;
}

export interface JudgedWindow {
  readonly device: DeviceRef;
  /** Packet time of the newest flow, µs since 1970. */
  readonly atUs: number;
  /** P(attack), 0 to 1. */
  readonly score: number;
  /** In force where a rule has none of its own. */
  readonly threshold: number;
  /** The likeliest attack that the flows can be, whatever the threshold said. */
  readonly attack: AttackClass;
  readonly flowsSeen: number;
  /** Enough of it is new to count for N of M. */
  readonly countsAsEvidence: boolean;
  /** Oldest first. */
  readonly flows: readonly JudgedFlow[];
  /** Others that passed since the window before and left no trace in either, oldest first. Left out where nobody kept them. */
  readonly passed?: readonly JudgedFlow[];
  /** Share of each flow in the score, oldest first; null where nobody asked for reasons. */
  readonly flowImportance: readonly number[] | null;
}

/** Everything that passed up to the window, oldest first. */
export function allFlows({ passed = [], flows }: Pick<JudgedWindow, 'flows' | 'passed'>): readonly JudgedFlow[] {
  return passed.length === 0 ? flows : [...passed, ...flows];
}

/** The MACs that this host was seen to send these flows with: more than one where somebody spoke in its name. */
export function macsOf(flows: readonly JudgedFlow[], address: string): readonly string[] {
  return [...new Set(flows.flatMap(({ srcIp, srcMac }) => (srcIp === address ? (srcMac ?? []) : [])))];
}
