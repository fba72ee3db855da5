/**
 * Floods of one host, told by counting: ever new flows to one port, or one connection of very many packets, and nobody
 * answers; more of them where somebody does. What is said without an answer anyway (logs, figures), or in vain while a
 * resolver is away, is no flood.
 */
import { flowIdentity, spanInWords, tcp, udp, type CountedKind } from './counted-kind.ts';
import { isKnockInVain } from './knock.ts';

/**
 * Names, leases, files, time, NetBIOS, SNMP and its traps, logs, accounts (RADIUS), SSDP, flow records, mDNS, LLMNR, samples,
 * figures. Some programs open a socket for each line that they write.
 */
const unansweredPorts: ReadonlySet<number> = new Set([
  53, 67, 68, 69, 123, 137, 138, 161, 162, 514, 1812, 1813, 1900, 2055, 4739, 5140, 5353, 5355, 6343, 8089, 8125, 9995,
  12_201, 25_826,
]);

export const plainFlood: CountedKind = {
  name: 'flood',
  attack: 'ddos_flood',
  least: 100, // anybody honest did 18 at most
  withinUs: 10_000_000,
  isLike: ({ protocol, dstPort, fwdPackets, bwdPackets }) =>
    bwdPackets === 0 && fwdPackets <= 2 && (protocol === tcp || (protocol === udp && !unansweredPorts.has(dstPort))),
  groupOf: ({ dstIp, dstPort, protocol }) => `${dstIp} ${protocol}/${dstPort}`,
  itemOf: flowIdentity,
  atUsOf: ({ startedAtUs }) => startedAtUs,
  telling: (flows) => flows,
  words: (by, count, flows) =>
    `${count} flows to port ${flows[0]?.dstPort} of ${flows[0]?.dstIp} by ${by}${spanInWords(flows)}, none of them answered`,
};

/**
 * Ever new connections to one port that are refused, or given up ahead of the handshake. A program that tries again and
 * again where nothing listens any more waits in between: a tenth of a second is a third of this. Anybody honest did 18 at most.
 */
export const plainRefusedFlood: CountedKind = {
  name: 'refused_flood',
  attack: 'ddos_flood',
  least: 300,
  withinUs: 10_000_000,
  isLike: isKnockInVain,
  groupOf: ({ dstIp, dstPort }) => `${dstIp} ${dstPort}`,
  itemOf: flowIdentity,
  atUsOf: ({ startedAtUs }) => startedAtUs,
  telling: (flows) => flows,
  words: (by, count, flows) =>
    `${count} connections to port ${flows[0]?.dstPort} of ${flows[0]?.dstIp} tried by ${by}${spanInWords(flows)}, none of them completed`,
};

/**
 * A handshake that nobody answered is given up after ten packets. Where a gateway sees one direction only, whole uploads go
 * unanswered, but each of their packets acknowledges something.
 */
const manyPackets = 1000;
const packetsPerSecond = 100;

export const plainHeavyFlow: CountedKind = {
  name: 'heavy_flow',
  attack: 'ddos_flood',
  least: 1,
  withinUs: 10_000_000,
  isLike: ({ protocol, fwdPackets, bwdPackets, ackPackets = fwdPackets, startedAtUs, lastPacketAtUs }) =>
    protocol === tcp &&
    bwdPackets === 0 &&
    fwdPackets >= manyPackets &&
    ackPackets < fwdPackets / 2 &&
    fwdPackets >= (packetsPerSecond * (lastPacketAtUs - startedAtUs)) / 1e6,
  groupOf: ({ dstIp, dstPort }) => `${dstIp} ${dstPort}`,
  itemOf: flowIdentity,
  atUsOf: ({ lastPacketAtUs }) => lastPacketAtUs,
  telling: (flows) => flows,
  words: (by, _count, flows) =>
    `one connection of ${manyPackets} packets or more to port ${flows[0]?.dstPort} of ${flows[0]?.dstIp} by ${by}` +
    `${spanInWords(flows)}, none of them answered`,
};

/** Guesses are counted as such. */
const logInPorts: ReadonlySet<number> = new Set([21, 22, 23, 2121, 2222, 2323]);
const maxRequestPackets = 20;
const maxRequestBytes = 4000;

/**
 * Ever new short connections of one outside host, each answered: pages asked for faster than people, or their browsers, ask.
 * A host behind which many people are asks for less than a tenth of it at a device of a home. Among devices of the LAN
 * programs ask one another, and how fast is left to the network.
 */
export const plainRequestFlood: CountedKind = {
  name: 'request_flood',
  attack: 'ddos_flood',
  least: 300,
  withinUs: 10_000_000,
  isLike: ({ protocol, direction, dstPort, fwdPackets, fwdBytes, bwdBytes }) =>
    protocol === tcp &&
    direction === 'inbound' &&
    !logInPorts.has(dstPort) &&
    fwdBytes > 0 &&
    fwdBytes <= maxRequestBytes &&
    fwdPackets <= maxRequestPackets &&
    bwdBytes > 0,
  groupOf: ({ dstIp, dstPort }) => `${dstIp} ${dstPort}`,
  itemOf: flowIdentity,
  atUsOf: ({ startedAtUs }) => startedAtUs,
  telling: (flows) => flows,
  words: (by, count, flows) =>
    `${count} short connections to port ${flows[0]?.dstPort} of ${flows[0]?.dstIp} by ${by}${spanInWords(flows)}`,
};
