/**
 * Guessing of passwords, told by counting: one host logs in at one service of another again and again, and never stays.
 * A backup with an old password is as fast as a slow guesser, who is left to the network.
 */
import { flowIdentity, spanInWords, tcp, type CountedKind } from './counted-kind.ts';
import type { AttackClass, JudgedFlow } from './judged-window.ts';
import { servicePortFit } from './service-ports.ts';

/** Enough for an exchange of keys and a few passwords. */
const maxPackets = 40;
const maxBytesSaid = 6000;
const maxBytesHeard = 8000;
const telnetPorts: ReadonlySet<number> = new Set([23, 2323]);

export const plainLogIns: readonly CountedKind[] = [
  // in brackets what anybody honest did at most
  logIns('ssh', 'brute_force_ssh', 35, (port) => servicePortFit('brute_force_ssh', port) === 1), // (27)
  logIns('ftp', 'brute_force_ftp', 20, (port) => servicePortFit('brute_force_ftp', port) === 1), // (11)
  logIns('telnet', 'other_attack', 15, (port) => telnetPorts.has(port)), // (1)
];

function logIns(
  service: string,
  attack: AttackClass,
  least: number,
  isOfService: (port: number) => boolean,
): CountedKind {
  return {
    name: service,
    attack,
    least,
    withinUs: 60_000_000,
    isLike: (flow) => isOfService(flow.dstPort) && isShort(flow),
    groupOf: ({ dstIp }) => dstIp,
    itemOf: flowIdentity,
    atUsOf: ({ startedAtUs }) => startedAtUs,
    telling: (flows) => flows,
    words: (by, count, flows) =>
      `${count} log-ins at ${service} of ${flows[0]?.dstIp} by ${by}${spanInWords(flows)}, none of them long`,
  };
}

/** Both said something, and hung up soon: whoever only listens for the greeting asks whether the service is there. */
function isShort({ protocol, fwdPackets, fwdBytes, bwdBytes }: JudgedFlow): boolean {
  return (
    protocol === tcp &&
    fwdBytes > 0 &&
    bwdBytes > 0 &&
    fwdPackets <= maxPackets &&
    fwdBytes <= maxBytesSaid &&
    bwdBytes <= maxBytesHeard
  );
}
