/**
 * What may not be restricted on a gateway because it stands on it, or because its owner says so. The controller refuses
 * with this code before any gateway hears of a decision, and the gateway does whatever the controller says.
 */
import type { DecisionTarget } from './decision-value.ts';
import { guardedAddress, guardingPrefix } from './guarded-address.ts';

/** Addresses are canonical text. */
export interface GuardedFacts {
  readonly ownAddresses: readonly string[];
  /** Next hops of its default routes. */
  readonly defaultRoutes: readonly string[];
  /** Of the subnets on its interfaces. */
  readonly broadcastAddresses: readonly string[];
  /** Addresses and prefixes that its owner lists. */
  readonly neverBlock: readonly string[];
  readonly managementPorts: readonly number[];
}

/** Why, and what in `facts` says so: as text, it is what the target is or what it holds. */
export interface GuardedValue {
  readonly as: 'own-address' | 'next-hop' | 'broadcast' | 'listed' | 'management-port';
  readonly entry: string;
}

/** Undefined where it may be restricted. MACs are not looked at: only the gateway knows them. */
export function guardedValue(target: DecisionTarget, facts: GuardedFacts): GuardedValue | undefined {
  if (target.scope === 'port') {
    return target.protocol === 'tcp' && facts.managementPorts.includes(target.port)
      ? { as: 'management-port', entry: `tcp/${target.port}` }
      : undefined;
  }
  if (target.scope !== 'pair') return addressIn(target, facts);
  const { family, device } = target;
  // the device may be the gateway: then it is the peer that is kept from it
  const isGateway = facts.ownAddresses.includes(device);
  return (
    addressIn(target, facts) ?? (isGateway ? undefined : addressIn({ scope: 'ip', family, address: device }, facts))
  );
}

function addressIn(target: DecisionTarget, facts: GuardedFacts): GuardedValue | undefined {
  const own = guardedAddress(target, facts.ownAddresses);
  if (own !== undefined) return { as: 'own-address', entry: own };
  const route = guardedAddress(target, facts.defaultRoutes);
  if (route !== undefined) return { as: 'next-hop', entry: route };
  // a network may hold one: then it is its hosts that are meant
  const everyone =
    target.scope === 'cidr' && target.prefix !== 32 ? undefined : guardedAddress(target, facts.broadcastAddresses);
  if (everyone !== undefined) return { as: 'broadcast', entry: everyone };
  const listed = guardingPrefix(target, facts.neverBlock);
  return listed === undefined ? undefined : { as: 'listed', entry: listed };
}
