/**
 * A scan, told by counting: a host knocks on ever other ports, or on one port of ever other hosts, and not a byte is
 * said. One dead service that is tried for hours is one port. Programs that look for many strangers (file sharing), and
 * an outage in which every page is tried in vain, go to other hosts and web ports each time: they are left to the network.
 */
import { spanInWords, type CountedFlow, type CountedKind } from './counted-kind.ts';
import { isKnockInVain } from './knock.ts';

/** A host, or a port, is scanned rather than met by chance from so many knocks on. */
const minKindred = 3;
const webPorts: ReadonlySet<number> = new Set([80, 443, 8000, 8080, 8443]);

export const plainScan: CountedKind = {
  name: 'scan',
  attack: 'port_scan',
  least: 30, // anybody honest did 15 at most
  withinUs: 10_000_000,
  isLike: isKnockInVain,
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

function countBy<Key>(flows: readonly CountedFlow[], keyOf: (flow: CountedFlow) => Key): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const flow of flows) counts.set(keyOf(flow), (counts.get(keyOf(flow)) ?? 0) + 1);
  return counts;
}
