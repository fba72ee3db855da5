/**
 * What may never be cut. The guard protects conversations, not destinations: a rule that accepted everything to the
 * gateway's own address would let a blocked host reach it.
 */
import { parseDecisionValue, type DecisionTarget } from '@picket/shared/policy/decision-value';
import { guardedValue, type GuardedValue } from '@picket/shared/policy/guarded-value';
import { mustParsePrefix } from '@picket/shared/policy/prefix';

/** Prefixes and addresses are canonical text; IPv4 and IPv6 mixed. */
export interface Guard {
  /** The gateway's own conversations, on input and output: with the controller and broker (address and port). */
  readonly controllers: readonly { readonly address: string; readonly port: number }[];
  /** Resolvers and time servers the gateway uses. */
  readonly dnsServers: readonly string[];
  readonly ntpServers: readonly string[];
  /** Prefixes that keep their way to the management ports of the gateway. */
  readonly adminPrefixes: readonly string[];
  readonly managementPorts: readonly number[];
  /** Hosts or prefixes whose forwarded conversations are never cut: the owner's list. */
  readonly neverBlock: readonly string[];
  /** The gateway's own addresses: refused as values of a decision, not accepted wholesale. */
  readonly ownAddresses: readonly string[];
  /** MACs of the gateway's own interfaces, lower case: refused as values. */
  readonly ownMacs: readonly string[];
  /** Next hops of the default routes: refused as values. */
  readonly defaultRoutes: readonly string[];
  /** MACs of those next hops, lower case: refused as values, for all that comes from outside carries them. */
  readonly defaultRouteMacs: readonly string[];
  /** The interfaces that the default routes leave by: on any other one a next hop has no business. */
  readonly defaultRouteLinks: readonly string[];
  /** MACs of the interfaces that the IPv4 default routes leave by, lower case, each with the subnets that its link has. */
  readonly outsideLegs: readonly { readonly mac: string; readonly subnets: readonly string[] }[];
  /** Of the IPv4 subnets on the gateway's interfaces: no host has one, refused as values. */
  readonly broadcastAddresses: readonly string[];
}

/** A guard that protects nothing: the start of every other one. */
export const emptyGuard: Guard = {
  controllers: [],
  dnsServers: [],
  ntpServers: [],
  adminPrefixes: [],
  managementPorts: [],
  neverBlock: [],
  ownAddresses: [],
  ownMacs: [],
  defaultRoutes: [],
  defaultRouteMacs: [],
  defaultRouteLinks: [],
  outsideLegs: [],
  broadcastAddresses: [],
};

/** Throws, naming the text, where the guard holds something that is no address or prefix. */
export function checkGuard(guard: Guard): void {
  for (const text of [
    ...guard.controllers.map((controller) => controller.address),
    ...guard.dnsServers,
    ...guard.ntpServers,
    ...guard.adminPrefixes,
    ...guard.neverBlock,
    ...guard.ownAddresses,
    ...guard.defaultRoutes,
    ...guard.broadcastAddresses,
    ...guard.outsideLegs.flatMap(({ subnets }) => subnets),
  ]) {
    mustParsePrefix(text);
  }
}

/** Why this may not be restricted, for people; undefined where it may. Refused even against the controller. */
export function refuseByGuard(target: DecisionTarget, guard: Guard): string | undefined {
  if (target.scope === 'device' && target.mac !== undefined) return refuseMac(target.mac, guard);
  const guarded = guardedValue(target, guard);
  return guarded === undefined ? undefined : explain(textOf(target), guarded);
}

/** Of the addresses that a device's MAC was seen with, those that may be cut with it: anybody can claim an address. */
export function addressesToCut(addresses: readonly string[], guard: Guard): readonly string[] {
  return addresses.filter((address) => {
    const parsed = parseDecisionValue('ip', address);
    return parsed.ok && refuseByGuard(parsed.target, guard) === undefined;
  });
}

function refuseMac(mac: string, guard: Guard): string | undefined {
  if (guard.ownMacs.includes(mac)) return `${mac} is an interface of this gateway`;
  return guard.defaultRouteMacs.includes(mac)
    ? `${mac} is the next hop of this gateway's default route: all that comes from outside carries it`
    : undefined;
}

function explain(text: string, { as, entry }: GuardedValue): string {
  const what = text === entry || text.split(' ').includes(entry) ? `${entry} is` : `${text} holds ${entry},`;
  switch (as) {
    case 'management-port':
      return `${entry} is a management port of this gateway`;
    case 'own-address':
      return `${what} an address of this gateway`;
    case 'next-hop':
      return `${what} the next hop of this gateway's default route`;
    case 'broadcast':
      return `${entry} is the broadcast address of a subnet of this gateway, no host`;
    case 'listed':
      return `${text} is on the owner's list of hosts never to block (${entry})`;
  }
}

function textOf(target: DecisionTarget): string {
  if (target.scope === 'cidr') return `${target.network}/${target.prefix}`;
  if (target.scope === 'pair') return `${target.peer} ${target.device}`;
  return 'address' in target ? target.address : '';
}
