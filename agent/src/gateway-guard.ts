/** The guard of this gateway: from its settings, from the system as it is now, and the ways to its controller. */
import { lookup } from 'node:dns/promises';
import type { AgentConfig } from './config/agent-config.ts';
import type { Guard } from './enforcement/guard.ts';
import type { SystemGuard } from './enforcement/system-guard.ts';
import type { GatewayIdentity } from './identity/gateway-identity.ts';

/** `identity`: undefined where there is no controller. */
export async function guardOf(
  { guard }: Pick<AgentConfig, 'guard'>,
  identity: GatewayIdentity | undefined,
  system: SystemGuard,
): Promise<Guard> {
  const doors = identity === undefined ? [] : [identity.mqtt, identity.https];
  const controllers = await Promise.all(doors.map(({ host, port }) => addressesOfDoor(host, port)));
  return {
    controllers: controllers.flat(),
    dnsServers: system.dnsServers,
    ntpServers: [],
    adminPrefixes: guard.admin_prefixes,
    managementPorts: guard.management_ports,
    neverBlock: guard.never_block,
    ownAddresses: system.ownAddresses,
    ownMacs: system.ownMacs,
    defaultRoutes: system.defaultRoutes,
  };
}

const lastKnownAddresses = new Map<string, readonly string[]>();

/** A name that cannot be resolved just now stands for what it stood for last: the way to the controller stays open. */
async function addressesOfDoor(host: string, port: number): Promise<Guard['controllers']> {
  const found = await lookup(host, { all: true }).catch(() => []);
  if (found.length > 0)
    lastKnownAddresses.set(
      host,
      found.map(({ address }) => address),
    );
  return (lastKnownAddresses.get(host) ?? []).map((address) => ({ address, port }));
}
