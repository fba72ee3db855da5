/**
 * Whom the evidence points to, found from the flows of the window and their attribution. Whoever opened the flows that
 * carry the attack is acted on; where sources are forged or too many, only the target can be protected.
 */
import type { Explanation } from '@picket/shared/contract/prediction';
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import type { WindowContext } from '../window/device-windows.ts';
import type { WindowFlow } from '../window/window-flow.ts';
import type { AttackClass } from './scored-window.ts';

export type Offender =
  /** Hosts that attack the device, strongest first. */
  | { readonly kind: 'peers'; readonly peers: readonly [string, ...string[]] }
  /** The device talks to this one host where it should not. */
  | { readonly kind: 'destination'; readonly peer: string }
  /** The device attacks many hosts. */
  | { readonly kind: 'device' }
  /** Forged or too many sources: the service under attack, where it is one. */
  | {
      readonly kind: 'target';
      readonly service: { readonly protocol: 'tcp' | 'udp'; readonly port: number } | null;
    };

/** A flood from more sources than this is answered at its target. */
const maxSources = 4;
/** Sources that a window of ten flows shows once each are taken for forged from this many on. */
const minForgedSources = 5;
/** To restrict a device for attacks of its own, this share of the evidence must be flows that it opened. */
const deviceShare = 2 / 3;
/** One host takes the blame for a conversation when it has this share of the evidence. */
const singleShare = 0.7;

const servicePorts: Partial<Record<AttackClass, readonly number[]>> = {
  brute_force_ssh: [22, 2222],
  brute_force_ftp: [21, 2121],
  web_xss: [80, 443, 8000, 8080, 8443],
  web_sqli: [80, 443, 8000, 8080, 8443],
};

interface WeighedFlow {
  readonly flow: WindowFlow;
  readonly peer: string;
  readonly openedByDevice: boolean;
  readonly weight: number;
}

/** `explanation` sharpens the answer where there is one. The context holds at least one flow. */
export function findOffender(context: WindowContext, attack: AttackClass, explanation: Explanation | null): Offender {
  const flows = weighFlows(context, attack, explanation).filter(({ peer }) => isHost(peer));
  const outgoing = flows.filter((flow) => flow.openedByDevice);
  const incoming = flows.filter((flow) => !flow.openedByDevice);
  const outgoingWeight = totalWeight(outgoing);
  const talksOutward = attack === 'botnet_beacon' || attack === 'data_exfiltration';
  const isDevice =
    outgoing.length > 0 &&
    (talksOutward || incoming.length === 0 || outgoingWeight >= deviceShare * (outgoingWeight + totalWeight(incoming)));
  if (isDevice) {
    const [strongest] = byPeer(outgoing);
    const isSingle = strongest !== undefined && (talksOutward || strongest.weight >= singleShare * outgoingWeight);
    return isSingle ? { kind: 'destination', peer: strongest.peer } : { kind: 'device' };
  }
  return offenderAmong(incoming, attack);
}

function offenderAmong(incoming: readonly WeighedFlow[], attack: AttackClass): Offender {
  if (looksForged(incoming)) return { kind: 'target', service: serviceOf(incoming) };
  const [strongest, ...others] = byPeer(incoming);
  if (strongest === undefined) return { kind: 'target', service: null };
  if (attack !== 'ddos_flood' && attack !== 'slow_rate') return { kind: 'peers', peers: [strongest.peer] };
  const heavy = others.filter((other) => other.weight >= strongest.weight / 4);
  return heavy.length < maxSources
    ? { kind: 'peers', peers: [strongest.peer, ...heavy.map((other) => other.peer)] }
    : { kind: 'target', service: serviceOf(incoming) };
}

/** What is said to a group (SSDP, mDNS) points to nobody. */
function isHost(peer: string): boolean {
  return parseDecisionValue('ip', peer).ok;
}

/** Many sources with one short conversation each that none of them went on with. */
function looksForged(incoming: readonly WeighedFlow[]): boolean {
  const fleeting = incoming.filter(
    ({ flow }) => flow.fwdPackets <= 2 && flow.bwdBytes === 0 && flow.bwdPackets <= flow.fwdPackets + 1,
  );
  const sources = new Set(fleeting.map((flow) => flow.peer));
  return (
    sources.size >= minForgedSources &&
    fleeting.length <= sources.size * 1.25 &&
    totalWeight(fleeting) >= singleShare * totalWeight(incoming)
  );
}

function serviceOf(flows: readonly WeighedFlow[]): { readonly protocol: 'tcp' | 'udp'; readonly port: number } | null {
  const [first] = flows;
  if (first === undefined || (first.flow.protocol !== 6 && first.flow.protocol !== 17)) return null;
  const { protocol, dstPort } = first.flow;
  const same = flows.filter(({ flow }) => flow.protocol === protocol && flow.dstPort === dstPort);
  if (dstPort === 0 || totalWeight(same) < singleShare * totalWeight(flows)) return null;
  return { protocol: protocol === 6 ? 'tcp' : 'udp', port: dstPort };
}

function weighFlows(
  context: WindowContext,
  attack: AttackClass,
  explanation: Explanation | null,
): readonly WeighedFlow[] {
  const importance = explanation?.flow_importance ?? [];
  const highest = Math.max(0, ...importance);
  return context.flows.map((flow, index) => {
    const openedByDevice =
      flow.direction === 'outbound' || (flow.direction === 'internal' && flow.srcIp === context.device.address);
    return {
      flow,
      openedByDevice,
      peer: openedByDevice ? flow.dstIp : flow.srcIp,
      weight: likeness(flow, attack) * emphasis(importance[index] ?? 0, highest),
    };
  });
}

/**
 * The explanation sharpens and never decides alone: one flow it leans on (an admin's log-in in the middle of an attack)
 * must not outweigh several that do the same.
 */
function emphasis(share: number, highest: number): number {
  return highest > 0 ? 0.5 + (0.5 * Math.max(share, 0)) / highest : 1;
}

/** How much this flow alone looks like the attack, up to 1: tells it from the device's everyday flows. */
function likeness(flow: WindowFlow, attack: AttackClass): number {
  const ports = servicePorts[attack];
  if (ports !== undefined) return ports.includes(flow.dstPort) ? 1 : 0.1;
  const seconds = (flow.lastPacketAtUs - flow.startedAtUs) / 1e6;
  if (attack === 'port_scan') return flow.fwdPackets <= 4 && flow.fwdBytes + flow.bwdBytes <= 200 ? 1 : 0.1;
  if (attack === 'ddos_flood') return flow.bwdBytes === 0 || flow.fwdPackets >= 50 * Math.max(seconds, 1) ? 1 : 0.1;
  if (attack === 'slow_rate') return seconds >= 1 && flow.fwdBytes <= 300 * seconds ? 1 : 0.1;
  if (attack === 'data_exfiltration') return Math.min(1, 0.01 + flow.fwdBytes / 100_000);
  return 1;
}

function totalWeight(flows: readonly WeighedFlow[]): number {
  return flows.reduce((sum, flow) => sum + flow.weight, 0);
}

/** Strongest first. */
function byPeer(flows: readonly WeighedFlow[]): readonly { readonly peer: string; readonly weight: number }[] {
  const weights = new Map<string, number>();
  for (const { peer, weight } of flows) weights.set(peer, (weights.get(peer) ?? 0) + weight);
  return [...weights].map(([peer, weight]) => ({ peer, weight })).sort((a, b) => b.weight - a.weight);
}
