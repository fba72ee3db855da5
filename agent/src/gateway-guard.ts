/** The guard of this gateway: from its settings, from the system as it is now, and the ways to its controller. */
import { lookup } from 'node:dns/promises';
import { setTimeout } from 'node:timers/promises';
import type { AgentConfig } from './config/agent-config.ts';
import type { Guard } from './enforcement/guard.ts';
import type { SystemGuard } from './enforcement/system-guard.ts';
import type { GatewayIdentity } from './identity/gateway-identity.ts';
import { KnownAddresses } from './known-addresses.ts';

/** `identity`: undefined where there is no controller. */
export async function guardOf(
  { guard }: Pick<AgentConfig, 'guard'>,
  identity: GatewayIdentity | undefined,
  system: SystemGuard,
): Promise<Guard> {
  const doors = identity === undefined ? [] : [identity.mqtt, identity.https];
  const controllers = await Promise.all(
    doors.map(async ({ host, port }) => (await addressesOf(host)).map((address) => ({ address, port }))),
  );
  const timeServers = await Promise.all(system.timeServers.map(addressesOf));
  return {
    controllers: controllers.flat(),
    dnsServers: system.dnsServers,
    ntpServers: [...new Set(timeServers.flat())].toSorted(),
    adminPrefixes: guard.admin_prefixes,
    managementPorts: guard.management_ports,
    neverBlock: guard.never_block,
    ownAddresses: system.ownAddresses,
    ownMacs: system.ownMacs,
    defaultRoutes: system.defaultRoutes,
    defaultRouteMacs: system.defaultRouteMacs,
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

const known = new KnownAddresses();
/** The guard is not kept waiting for a resolver that does not answer. */
const lookupMs = 3000;

/** What the name stands for, and stood for lately: the way there stays open. */
async function addressesOf(host: string): Promise<readonly string[]> {
  const found = await Promise.race([
    lookup(host, { all: true }).catch(() => []),
    setTimeout(lookupMs, [], { ref: false }),
  ]);
  return known.after(
    host,
    found.map(({ address }) => address),
    performance.now(),
  );
}
