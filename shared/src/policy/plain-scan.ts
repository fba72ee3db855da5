/**
 * A scan, told by counting: a host knocks on ever other ports, or on one port of ever other hosts, and not a byte is
 * said. One dead service that is tried for hours is one port. Programs that look for many strangers (file sharing), and
 * an outage in which every page is tried in vain, go to other hosts and web ports each time: they are left to the network.
 */
import { tcp, spanInWords, type CountedFlow, type CountedKind } from './counted-kind.ts';
import type { JudgedFlow } from './judged-window.ts';

/**
 * Who got through a handshake found what is served there: programs that look after others (is it still up?) do nothing else,
 * and a scan meets mostly what is closed.
 */
function gotThrough({ bwdPackets, ackPackets = 0 }: JudgedFlow): boolean {
  return ackPackets > bwdPackets; // more than the answers acknowledge
}

/** SYNs that are sent again are one flow. */
const maxPackets = 5;
/** A host, or a port, is scanned rather than met by chance from so many knocks on. */
const minKindred = 3;
const webPorts: ReadonlySet<number> = new Set([80, 443, 8000, 8080, 8443]);

export const plainScan: CountedKind = {
  name: 'scan',
  attack: 'port_scan',
  least: 30, // anybody honest did 14 at most
  withinUs: 10_000_000,
  isLike: (flow) => isKnock(flow) && !gotThrough(flow),
  groupOf: () => '',
  itemOf: ({ dstIp, dstPort }) => `${dstIp} ${dstPort}`,
  atUsOf: ({ startedAtUs }) => startedAtUs,
  telling: (flows) => {
    const hosts = countBy(flows, ({ dstIp }) => dstIp);
    const ports = countBy(flows, ({ dstPort }) => dstPort);
    return flows.filter(
      ({ dstIp, dstPort }) =>
        hosts.get(dstIp)! >= minKindred || (!webPorts.has(dstPort) && ports.get(dstPort)! >= minKindred),
    );
  },
  words: (by, count, flows) => {
    const [first] = flows;
    const hosts = countBy(flows, ({ dstIp }) => dstIp).size;
    const ports = countBy(flows, ({ dstPort }) => dstPort).size;
    const whom =
      hosts === 1
        ? `${count} ports of ${first?.dstIp}`
        : ports === 1
          ? `port ${first?.dstPort} of ${count} hosts`
          : `${count} ports of ${hosts} hosts`;
    return `${whom} tried by ${by}${spanInWords(flows)}, and not a byte said`;
  },
};

function isKnock({ protocol, fwdPackets, fwdBytes, bwdBytes, synPackets = 0 }: JudgedFlow): boolean {
  return protocol === tcp && synPackets >= 1 && fwdPackets <= maxPackets && fwdBytes === 0 && bwdBytes === 0;
}

function countBy<Key>(flows: readonly CountedFlow[], keyOf: (flow: CountedFlow) => Key): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const flow of flows) counts.set(keyOf(flow), (counts.get(keyOf(flow)) ?? 0) + 1);
  return counts;
}
