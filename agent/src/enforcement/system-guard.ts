/** What the guard can learn of the gateway itself: its addresses, MACs, default routes, resolvers and time servers. */
import { readFile } from 'node:fs/promises';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import ipaddr from 'ipaddr.js';
import { parseAddress } from '@picket/shared/policy/decision-value';
import type { Guard } from './guard.ts';
import { readNameServers, readOpenResolvers } from './name-servers.ts';
import { runProgram } from './system-program.ts';
import { readTimeServers } from './time-servers.ts';

export type SystemGuard = Pick<
  Guard,
  | 'ownAddresses'
  | 'ownMacs'
  | 'defaultRoutes'
  | 'defaultRouteMacs'
  | 'defaultRouteLinks'
  | 'outsideLegs'
  | 'broadcastAddresses'
  | 'dnsServers'
> & {
  /** Names and addresses: the names are for the caller to look up. */
  readonly timeServers: readonly string[];
  /** Resolvers that it is connected to just now; another moment may show others, or none. */
  readonly openResolvers: readonly string[];
};

/** Reads the system as it is now; a file that is missing teaches nothing. Loopback is left out: it is never a value. */
export async function readSystemGuard(): Promise<SystemGuard> {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = interfaces.filter((address) => !address.internal);
  const [route = '', ipv6Route = '', arp = ''] = await Promise.all(
    ['/proc/net/route', '/proc/net/ipv6_route', '/proc/net/arp'].map(readOrEmpty),
  );
  const defaultRoutes = unique([...parseRoutes(route), ...parseIpv6Routes(ipv6Route)]);
  const links = unique([...parseDefaultInterfaces(route), ...parseDefaultInterfaces6(ipv6Route)]);
  const neighbours = [...parseArp(arp), ...(await readIpv6Neighbours(defaultRoutes))];
  return {
    ownAddresses: unique(outside.map((address) => address.address)),
    ownMacs: unique(outside.map((address) => address.mac.toLowerCase()).filter((mac) => mac !== '00:00:00:00:00:00')),
    defaultRoutes,
    defaultRouteMacs: nextHopMacs(neighbours, defaultRoutes, links),
    defaultRouteLinks: links,
    outsideLegs: legsOf(networkInterfaces(), parseDefaultInterfaces(route)),
    dnsServers: await readNameServers(),
    openResolvers: await readOpenResolvers(),
    timeServers: await readTimeServers(),
    broadcastAddresses: unique(outside.flatMap(({ cidr }) => broadcastOf(cidr ?? '') ?? [])),
  };
}

/**
 * `links`: the interfaces that default routes leave by. On any other one a device can have its own MAC noted for the
 * address of a next hop, with a single ARP request, and would never be cut again.
 */
export function nextHopMacs(
  neighbours: readonly Neighbour[],
  defaultRoutes: readonly string[],
  links: readonly string[],
): readonly string[] {
  const hops = neighbours.filter(({ address, link }) => defaultRoutes.includes(address) && links.includes(link));
  return unique(hops.map(({ mac }) => mac));
}

/** Of `192.168.1.1/24`; undefined for IPv6, and for links of two hosts or one: their last address is a host's. */
export function broadcastOf(cidr: string): string | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr) || Number(cidr.split('/')[1]) >= 31) return undefined;
  return ipaddr.IPv4.broadcastAddressFromCIDR(cidr).toString();
}

export interface Neighbour {
  readonly address: string;
  readonly mac: string;
  /** The interface that it was heard on. */
  readonly link: string;
}

/** Whole entries in the text of /proc/net/arp. */
export function parseArp(text: string): readonly Neighbour[] {
  return text.split('\n').flatMap((line) => {
    const [address = '', , , mac = '', , link = ''] = line.trim().split(/\s+/);
    return isMac(mac) && parseAddress(address).ok ? [{ address, mac: mac.toLowerCase(), link }] : [];
  });
}

/** What `ip -6 neigh` says; there is no file of it. */
export function parseIpv6Neighbours(text: string): readonly Neighbour[] {
  return text.split('\n').flatMap((line) => {
    const [, address = '', link = '', mac = ''] = /^(\S+) dev (\S+) .*\blladdr (\S+)/.exec(line) ?? [];
    const parsed = parseAddress(address);
    return parsed.ok && isMac(mac) ? [{ address: parsed.address, mac: mac.toLowerCase(), link }] : [];
  });
}

async function readIpv6Neighbours(nextHops: readonly string[]): Promise<readonly Neighbour[]> {
  if (!nextHops.some((address) => address.includes(':'))) return [];
  try {
    const { stdout } = await runProgram(['ip', '-6', 'neigh', 'show'], { signal: AbortSignal.timeout(2000) });
    return parseIpv6Neighbours(stdout);
  } catch {
    return [];
  }
}

function isMac(text: string): boolean {
  return /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(text) && text !== '00:00:00:00:00:00';
}

/** Interfaces that default routes leave by, in the text of /proc/net/route; with a next hop or without. */
export function parseDefaultInterfaces(text: string): readonly string[] {
  return unique(
    text.split('\n').flatMap((line) => {
      const [name = '', destination, , , , , , mask] = line.split('\t').map((field) => field.trim());
      return destination === '00000000' && mask === '00000000' ? [name] : [];
    }),
  );
}

/** The same in the text of /proc/net/ipv6_route; of those with a next hop. */
export function parseDefaultInterfaces6(text: string): readonly string[] {
  return unique(
    text.split('\n').flatMap((line) => (parseIpv6Routes(line).length > 0 ? line.trim().split(/\s+/).slice(-1) : [])),
  );
}

/** VLANs of one card share its MAC: what is on the link of any of them is on the link of that MAC. */
export function legsOf(
  interfaces: NodeJS.Dict<readonly Pick<NetworkInterfaceInfo, 'mac' | 'cidr' | 'family'>[]>,
  names: readonly string[],
): Guard['outsideLegs'] {
  const macs = unique(
    names.flatMap((name) => (interfaces[name] ?? []).map(({ mac }) => mac.toLowerCase()).filter(isMac)),
  );
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  return macs.map((mac) => ({
    mac,
    subnets: unique(
      all.flatMap((one) =>
        one.family === 'IPv4' && one.mac.toLowerCase() === mac && one.cidr !== null ? [one.cidr] : [],
      ),
    ),
  }));
}

/** Next hops of the default routes in the text of /proc/net/route: little-endian hex. */
export function parseRoutes(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [, destination, gateway, , , , , mask] = line.split('\t').map((field) => field.trim());
    if (destination !== '00000000' || mask !== '00000000' || gateway === undefined || gateway === '00000000') return [];
    return [[...Buffer.from(gateway, 'hex')].toReversed().join('.')];
  });
}

/** Next hops of the default routes in the text of /proc/net/ipv6_route. */
export function parseIpv6Routes(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [destination, length, , , nextHop] = line.trim().split(/\s+/);
    if (nextHop === undefined || !/^0{32}$/.test(destination ?? '') || length !== '00' || /^0{32}$/.test(nextHop)) {
      return [];
    }
    return [new ipaddr.IPv6([...Buffer.from(nextHop, 'hex')]).toRFC5952String()];
  });
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
