/**
 * Whom the evidence points to, found from the flows of the window and their attribution. Whoever opened the flows that
 * carry the attack is acted on; where sources are forged or too many, only the target can be protected. A device of the
 * LAN is blamed for nothing that a router brought in its name, for whoever is beyond the router may have forged it.
 */
import { parseDecisionValue } from './decision-value.ts';
import { isHalfOpen } from './half-open-flood.ts';
import { macsOf, talksOutward, type AttackClass, type JudgedFlow } from './judged-window.ts';
import type { Offender, Service } from './offender.ts';
import { servicePortFit } from './service-ports.ts';
import { networkAround } from './source-prefix.ts';
import { totalWeight, weighFlows, type OffenderWindow, type WeighedFlow } from './weighed-flows.ts';
import { byPeer, type PeerWeight } from './weighed-peers.ts';

/** A flood from more sources than this is answered at its target, unless they are of one network. */
const maxSources = 4;
/** Sources that a window of ten flows shows once each are taken for forged from this many on. */
const minForgedSources = 5;
/** To restrict a device for attacks of its own, this share of the evidence must be flows that it opened. */
const deviceShare = 2 / 3;
/** One host takes the blame for a conversation when it has this share of the evidence. */
const singleShare = 0.7;

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
  const isOutward = talksOutward(attack);
  const isDevice =
    outgoing.length > 0 &&
    (isOutward || incoming.length === 0 || outgoingWeight >= deviceShare * (outgoingWeight + totalWeight(incoming)));
  if (!isDevice) return offenderAmong(incoming, attack, seen);
  const isDoubtful =
    outgoing.some(({ flow, isLike }) => isLike && flow.isRelayed === true) ||
    macsOf(seen, window.device.address).length > 1;
  const relayed = isDoubtful ? inItsName : {};
  const [strongest] = byPeer(outgoing, attack, seen);
  const isSingle = strongest !== undefined && (isOutward || strongest.weight >= singleShare * outgoingWeight);
  return isSingle
    ? { kind: 'destination', peer: strongest.peer, isInside: strongest.isInside, ...relayed }
    : { kind: 'device', isInside: outgoing.some(({ flow }) => flow.direction === 'internal'), ...relayed };
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
