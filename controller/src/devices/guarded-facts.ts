/** What is known here of what a gateway refuses to restrict. Its own file may list more, and it knows its MACs. */
import type { GuardedFacts } from '@picket/shared/policy/guarded-value';
import type { KnownGateway } from './gateway-directory.ts';

export type GuardedGateway = Pick<KnownGateway, 'addresses' | 'defaultRoutes' | 'broadcasts' | 'guard'>;

export function guardedFacts({ addresses, defaultRoutes, broadcasts, guard }: GuardedGateway): GuardedFacts {
  return {
    ownAddresses: addresses,
    defaultRoutes,
    broadcastAddresses: broadcasts,
    neverBlock: guard.never_block,
    managementPorts: guard.management_ports,
  };
}
