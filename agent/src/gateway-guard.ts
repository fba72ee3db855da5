/** The guard of this gateway: from its settings, from the system as it is now, and the ways to its controller. */
import { lookup } from 'node:dns/promises';
import type { AgentConfig } from './config/agent-config.ts';
import type { Guard } from './enforcement/guard.ts';
import type { Neighbour, SystemGuard } from './enforcement/system-guard.ts';
import type { GatewayIdentity } from './identity/gateway-identity.ts';
import { KnownAddresses } from './known-addresses.ts';

/** `identity`: undefined where there is no controller. */
export async function guardOf(
  { guard }: Pick<AgentConfig, 'guard'>,
  identity: GatewayIdentity | undefined,
  system: SystemGuard,
): Promise<Guard> {
  const doors = identity === undefined ? [] : [identity.mqtt, identity.https];
  const [controllers, timeServers] = await Promise.all([
    Promise.all(doors.map(async ({ host, port }) => (await addressesOf(host)).map((address) => ({ address, port })))),
    Promise.all(system.timeServers.map(addressesOf)),
  ]);
  known.save();
  return {
    controllers: controllers.flat(),
    dnsServers: resolversOf(system),
    ntpServers: [...new Set(timeServers.flat())].toSorted(),
    adminPrefixes: guard.admin_prefixes,
    managementPorts: guard.management_ports,
    neverBlock: guard.never_block,
    ownAddresses: system.ownAddresses,
    ownMacs: system.ownMacs,
    defaultRoutes: system.defaultRoutes,
    defaultRouteMacs: system.defaultRouteMacs,
    defaultRouteLinks: system.defaultRouteLinks,
    outsideLegs: system.outsideLegs,
    broadcastAddresses: system.broadcastAddresses,
  };
}

/**
 * What the gateway's own file lists holds whatever a policy says beside it: its owner may not be locked out because
 * somebody far away forgot his address, or never knew it.
 */
export function joinGuards(own: AgentConfig['guard'], policy: AgentConfig['guard']): AgentConfig['guard'] {
  const both = <T>(one: readonly T[], other: readonly T[]): T[] => [...new Set([...one, ...other])];
  return {
    admin_prefixes: both(own.admin_prefixes, policy.admin_prefixes),
    management_ports: both(own.management_ports, policy.management_ports),
    never_block: both(own.never_block, policy.never_block),
  };
}

/** For people: what was learned, that an owner may see what is missing. */
export function guardedWords(
  guard: Guard,
): Readonly<Record<'controllers' | 'resolvers' | 'time_servers' | 'next_hops', readonly string[]>> {
  const { controllers, dnsServers, ntpServers, defaultRoutes, defaultRouteMacs } = guard;
  return {
    controllers: controllers.map(({ address, port }) => `${address} tcp/${port}`),
    resolvers: dnsServers,
    time_servers: ntpServers,
    next_hops: [...defaultRoutes, ...defaultRouteMacs],
  };
}

/** A next hop of a default route is said to have a MAC that the guard does not know as one's, where it can be heard. */
export function isOtherNextHop(
  guard: Pick<Guard, 'defaultRoutes' | 'defaultRouteMacs' | 'defaultRouteLinks'>,
  { address, mac, link }: Neighbour,
): boolean {
  return (
    guard.defaultRoutes.includes(address) &&
    guard.defaultRouteLinks.includes(link) &&
    !guard.defaultRouteMacs.includes(mac.toLowerCase())
  );
}

/** Told of, or talked to within the hour; `nowMs` by a clock that is never set. */
export function resolversOf(
  { dnsServers, openResolvers }: Pick<SystemGuard, 'dnsServers' | 'openResolvers'>,
  nowMs = performance.now(),
): readonly string[] {
  for (const address of openResolvers) {
    openAtMs.delete(address);
    openAtMs.set(address, nowMs);
  }
  for (const [address, atMs] of openAtMs)
    if (nowMs - atMs > openForMs || openAtMs.size > maxOpen) openAtMs.delete(address);
  return [...new Set([...dnsServers, ...openAtMs.keys()])];
}

/** When each was last seen connected, longest ago first. */
const openAtMs = new Map<string, number>();
const openForMs = 3_600_000;
const maxOpen = 8;

const known = new KnownAddresses();
/** The guard is not kept waiting for a resolver that does not answer; hardly at all where it knows the name from before. */
const lookupMs = { unknown: 3000, known: 500 };

/** Names that are known from the run before go into the guard before any resolver answers. */
export function useKnownAddresses(path: string): void {
  known.useFile(path, performance.now());
}

/** What the name stands for, and stood for lately: the way there stays open. */
function addressesOf(host: string): Promise<readonly string[]> {
  const answer = lookup(host, { all: true }).then((found) => found.map(({ address }) => address));
  return known.learn(host, answer, lookupMs[known.has(host) ? 'known' : 'unknown']);
}
