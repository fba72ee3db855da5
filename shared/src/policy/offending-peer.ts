/**
 * Whom the evidence points to, found from the flows of the window and their attribution. Whoever opened the flows that
 * carry the attack is acted on; where sources are forged or too many, only the target can be protected. A device of the
 * LAN is blamed for nothing that a router brought in its name, for whoever is beyond the router may have forged it.
 */
import { parseDecisionValue } from './decision-value.ts';
import { isHalfOpen } from './half-open-flood.ts';
import { macsOf, type AttackClass, type JudgedFlow, type JudgedWindow } from './judged-window.ts';
import { servicePortFit } from './service-ports.ts';
import { networkAround, outsideSource } from './source-prefix.ts';

/** A service under attack. */
export interface Service {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export type Offender =
  /** Hosts that attack the device, strongest first. */
  | {
      readonly kind: 'peers';
      readonly peers: readonly [string, ...string[]];
      /** They are devices of the LAN themselves. */
      readonly isInside: boolean;
      /** None of them can be a forgery: each kept up a conversation. */
      readonly isGenuine: boolean;
      /** What they attack, where it is one service. */
      readonly service: Service | null;
    }
  /** The device talks to this one host where it should not. */
  | {
      readonly kind: 'destination';
      readonly peer: string;
      readonly isInside: boolean;
      /** Some of it was brought by a router, or sent with another MAC: the device may have sent none of it. */
      readonly isRelayed?: true;
    }
  /** The device attacks many hosts; `isInside` where some of them are of the LAN. */
  | { readonly kind: 'device'; readonly isInside: boolean; readonly isRelayed?: true }
  /** Forged or too many sources: the service under attack, where it is one. */
  | { readonly kind: 'target'; readonly service: Service | null };

/** A flood from more sources than this is answered at its target, unless they are of one network. */
const maxSources = 4;
/** Sources that a window of ten flows shows once each are taken for forged from this many on. */
const minForgedSources = 5;
/** To restrict a device for attacks of its own, this share of the evidence must be flows that it opened. */
const deviceShare = 2 / 3;
/** One host takes the blame for a conversation when it has this share of the evidence. */
const singleShare = 0.7;

interface WeighedFlow {
  readonly flow: JudgedFlow;
  readonly peer: string;
  readonly openedByDevice: boolean;
  readonly weight: number;
  /** It does what this attack is made of. */
  readonly isLike: boolean;
}

/** The part of a window that an offender is found from. */
export interface OffenderWindow extends Pick<JudgedWindow, 'device' | 'flows' | 'flowImportance'> {
  /** All flows of the window, where `flows` are some of them: who sent with more than one MAC did so in any of them. */
  readonly seen?: readonly JudgedFlow[];
}

const nobody: ReadonlySet<string> = new Set();
const inItsName = { isRelayed: true } as const;

/**
 * The window holds at least one flow; its attribution sharpens the answer where there is one. `ownAddresses` are the
 * gateway's: behind them may stand any device (address translation), so none of them is ever called an attacker.
 */
export function findOffender(
  window: OffenderWindow,
  attack: AttackClass,
  ownAddresses: ReadonlySet<string> = nobody,
): Offender {
  const seen = window.seen ?? window.flows;
  const flows = weighFlows(window, attack).filter(({ peer }) => isHost(peer));
  const outgoing = flows.filter((flow) => flow.openedByDevice);
  const incoming = flows.filter((flow) => !flow.openedByDevice && !ownAddresses.has(flow.peer));
  const outgoingWeight = totalWeight(outgoing);
  const talksOutward = attack === 'botnet_beacon' || attack === 'data_exfiltration';
  const isDevice =
    outgoing.length > 0 &&
    (talksOutward || incoming.length === 0 || outgoingWeight >= deviceShare * (outgoingWeight + totalWeight(incoming)));
  if (!isDevice) return offenderAmong(incoming, attack, seen);
  const isDoubtful =
    outgoing.some(({ flow, isLike }) => isLike && flow.isRelayed === true) ||
    macsOf(seen, window.device.address).length > 1;
  const relayed = isDoubtful ? inItsName : {};
  const [strongest] = byPeer(outgoing, attack, seen);
  const isSingle = strongest !== undefined && (talksOutward || strongest.weight >= singleShare * outgoingWeight);
  return isSingle
    ? { kind: 'destination', peer: strongest.peer, isInside: strongest.isInside, ...relayed }
    : { kind: 'device', isInside: outgoing.some(({ flow }) => flow.direction === 'internal'), ...relayed };
}

/** The one other end to name, if there is one. */
export function peerOf(offender: Offender): string | null {
  if (offender.kind === 'peers') return offender.peers[0];
  return offender.kind === 'destination' ? offender.peer : null;
}

/** All hosts that it names: one outside by what it stands for (source-prefix.ts). */
export function hostsOf(offender: Offender): readonly string[] {
  if (offender.kind === 'target' || offender.kind === 'device') return [];
  const peers = offender.kind === 'peers' ? offender.peers : [offender.peer];
  return offender.isInside ? peers : peers.map((peer) => outsideSource(peer).value);
}

function offenderAmong(all: readonly WeighedFlow[], attack: AttackClass, seen: readonly JudgedFlow[]): Offender {
  // of an attack on one kind of service only that says who: a flood beside it may be forged, and is another matter
  const alike = servicePortFit(attack, 0) === undefined ? [] : all.filter(({ isLike }) => isLike);
  const incoming = alike.length > 0 ? alike : all;
  const service = serviceOf(incoming);
  if (looksForged(incoming)) return { kind: 'target', service };
  // who does nothing of the kind is a visitor, however much of the window is his
  const [strongest, ...others] = byPeer(incoming, attack, seen).filter(({ isLike }) => isLike);
  if (strongest === undefined) return { kind: 'target', service: null };
  if (strongest.isForgeable) return { kind: 'target', service };
  const named = (peers: readonly PeerWeight[]): Offender => ({
    kind: 'peers',
    peers: [strongest.peer, ...peers.map((other) => other.peer)],
    isInside: [strongest, ...peers].every((other) => other.isInside),
    isGenuine: [strongest, ...peers].every((other) => other.isGenuine),
    service,
  });
  if (attack !== 'ddos_flood' && attack !== 'slow_rate') return named([]);
  const heavy = others.filter(
    (other) => other.weight >= strongest.weight / 4 && other.isInside === strongest.isInside && !other.isForgeable,
  );
  return heavy.length < maxSources || areOneNetwork([strongest, ...heavy]) ? named(heavy) : { kind: 'target', service };
}

/** What is said to a group (SSDP, mDNS) points to nobody. */
function isHost(peer: string): boolean {
  return parseDecisionValue('ip', peer).ok;
}

/** Many sources with one short conversation each that none of them went on with. */
function looksForged(incoming: readonly WeighedFlow[]): boolean {
  const fleeting = incoming.filter(
    ({ flow }) =>
      isHalfOpen(flow) || (flow.fwdPackets <= 2 && flow.bwdBytes === 0 && flow.bwdPackets <= flow.fwdPackets + 1),
  );
  const sources = new Set(fleeting.map((flow) => flow.peer));
  return (
    sources.size >= minForgedSources &&
    fleeting.length <= sources.size * 1.25 &&
    totalWeight(fleeting) >= singleShare * totalWeight(incoming)
  );
}

/**
 * The device said something in return, which TCP does only after the other end repeated a number that was sent to its
 * address: that address is no forgery. Bare answers prove nothing: whatever is sent blindly is refused, or acknowledged.
 */
function isGenuine({ protocol, bwdBytes, fwdPackets }: JudgedFlow): boolean {
  return protocol === 6 && fwdPackets >= 3 && bwdBytes > 0;
}

function areOneNetwork(peers: readonly PeerWeight[]): boolean {
  const networks = new Set(peers.map(({ peer }) => networkAround(peer).value));
  return networks.size === 1 && peers.every((peer) => peer.isGenuine && !peer.isInside);
}

/** The one that nearly all of it goes to, whatever came first. */
function serviceOf(flows: readonly WeighedFlow[]): Service | null {
  const most = singleShare * totalWeight(flows);
  const main = flows.find(({ flow: { protocol, dstPort } }) => {
    const same = flows.filter(({ flow }) => flow.protocol === protocol && flow.dstPort === dstPort);
    return totalWeight(same) >= most;
  })?.flow;
  if (main === undefined || main.dstPort === 0 || (main.protocol !== 6 && main.protocol !== 17)) return null;
  return { protocol: main.protocol === 6 ? 'tcp' : 'udp', port: main.dstPort };
}

function weighFlows(window: OffenderWindow, attack: AttackClass): readonly WeighedFlow[] {
  const importance = window.flowImportance ?? [];
  const highest = Math.max(0, ...importance);
  return window.flows.map((flow, index) => {
    const openedByDevice =
      flow.direction === 'outbound' || (flow.direction === 'internal' && flow.srcIp === window.device.address);
    const like = likeness(flow, attack);
    return {
      flow,
      openedByDevice,
      peer: openedByDevice ? flow.dstIp : flow.srcIp,
      weight: like * emphasis(importance[index] ?? 0, highest),
      isLike: like > unlike || attack === 'data_exfiltration',
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

/** The likeness of a flow that shows nothing of the attack. */
const unlike = 0.1;

/** How much this flow alone looks like the attack, up to 1: tells it from the device's everyday flows. */
function likeness(flow: JudgedFlow, attack: AttackClass): number {
  const fit = servicePortFit(attack, flow.dstPort);
  if (fit !== undefined) return Math.max(fit, unlike);
  const seconds = (flow.lastPacketAtUs - flow.startedAtUs) / 1e6;
  if (attack === 'port_scan') return flow.fwdPackets <= 4 && flow.fwdBytes + flow.bwdBytes <= 200 ? 1 : unlike;
  if (attack === 'ddos_flood') return flow.bwdBytes === 0 || flow.fwdPackets >= 50 * Math.max(seconds, 1) ? 1 : unlike;
  if (attack === 'slow_rate') return isSlow(flow) && !isDialogue(flow) ? 1 : unlike;
  if (attack === 'data_exfiltration') return Math.min(1, 0.01 + flow.fwdBytes / 100_000);
  return 1;
}

function isSlow({ startedAtUs, lastPacketAtUs, fwdBytes }: JudgedFlow): boolean {
  const seconds = (lastPacketAtUs - startedAtUs) / 1e6;
  return seconds >= 1 && fwdBytes <= 300 * seconds;
}

/** Both ends say about as much, again and again: a line that is kept open and used, not one that somebody holds up. */
function isDialogue({ fwdPackets, bwdPackets, fwdBytes, bwdBytes }: JudgedFlow): boolean {
  return Math.min(fwdPackets, bwdPackets) >= 6 && bwdBytes >= fwdBytes / 2 && bwdBytes <= fwdBytes * 2;
}

function totalWeight(flows: readonly WeighedFlow[]): number {
  return flows.reduce((sum, flow) => sum + flow.weight, 0);
}

/** Flows of one host within a window that many a second are a flood, whatever each of them carries. */
const minFloodFlows = 3;
const floodFlowsPerSecond = 5;

function areHasty(flows: readonly WeighedFlow[]): boolean {
  const starts = flows.map(({ flow }) => flow.startedAtUs);
  const seconds = (Math.max(...starts) - Math.min(...starts)) / 1e6;
  return flows.length >= minFloodFlows && flows.length - 1 >= floodFlowsPerSecond * seconds;
}

/** Lines of one host to one port that are held side by side, each fed a little: nobody uses so many, whatever answers came. */
const minHeldLines = 4;

function areHeld(flows: readonly WeighedFlow[]): boolean {
  const slow = flows.filter(({ flow }) => flow.protocol === 6 && isSlow(flow));
  return [...Map.groupBy(slow, ({ flow }) => flow.dstPort).values()].some((lines) => {
    const begunUs = Math.max(...lines.map(({ flow }) => flow.startedAtUs));
    return lines.filter(({ flow }) => flow.lastPacketAtUs >= begunUs).length >= minHeldLines;
  });
}

interface PeerWeight {
  /** The address that most of it came from. */
  readonly peer: string;
  readonly weight: number;
  readonly isInside: boolean;
  readonly isGenuine: boolean;
  readonly isLike: boolean;
  /** A device of the LAN in whose name a router, or somebody with another MAC, brought some of it. */
  readonly isForgeable: boolean;
}

/** Strongest first. The addresses of one outside host of IPv6 count together. */
function byPeer(
  flows: readonly WeighedFlow[],
  attack: AttackClass,
  seen: readonly JudgedFlow[],
): readonly PeerWeight[] {
  const isInside = ({ flow }: WeighedFlow): boolean => flow.direction === 'internal';
  const hosts = Map.groupBy(flows, (flow) => (isInside(flow) ? flow.peer : outsideSource(flow.peer).value));
  return [...hosts.values()]
    .map((own) => ({
      peer: own.reduce((best, flow) => (flow.weight > best.weight ? flow : best)).peer,
      weight: totalWeight(own),
      isInside: own.every(isInside),
      isGenuine: own.some(({ flow }) => isGenuine(flow)),
      isLike:
        own.some((flow) => flow.isLike) ||
        (attack === 'ddos_flood' && areHasty(own)) ||
        (attack === 'slow_rate' && areHeld(own)),
      isForgeable: own.some(
        (flow) => isInside(flow) && (flow.flow.isRelayed === true || macsOf(seen, flow.peer).length > 1),
      ),
    }))
    .sort((a, b) => b.weight - a.weight);
}
