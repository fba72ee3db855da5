/**
 * What may never be cut. The guard protects conversations, not destinations: a rule that accepted everything to the
 * gateway's own address would let a blocked host reach it.
 */
import type { DecisionTarget } from '@picket/shared/policy/decision-value';
import { contains, mustParsePrefix, parsePrefix, type Prefix } from './prefix.ts';

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
  ]) {
    mustParsePrefix(text);
  }
}

/** Why this may not be restricted, for people; undefined where it may. Refused even against the controller. */
export function refuseByGuard(target: DecisionTarget, guard: Guard): string | undefined {
  switch (target.scope) {
    case 'port':
      return guard.managementPorts.includes(target.port) && target.protocol === 'tcp'
        ? `${target.protocol}/${target.port} is a management port of this gateway`
        : undefined;
    case 'device':
      if (target.mac === undefined) return refuseAddresses(target.address, guard);
      return guard.ownMacs.includes(target.mac) ? `${target.mac} is an interface of this gateway` : undefined;
    case 'cidr':
      return refuseAddresses(`${target.network}/${target.prefix}`, guard);
    case 'pair':
      // the device may be the gateway: then it is the peer that is kept from it
      return refuseAddresses(target.peer, guard) ?? refuseUnlessOwn(target.device, guard);
    case 'ip':
    case 'ip+port':
      return refuseAddresses(target.address, guard);
  }
}

function refuseUnlessOwn(address: string, guard: Guard): string | undefined {
  return guard.ownAddresses.includes(address) ? undefined : refuseAddresses(address, guard);
}

function refuseAddresses(text: string, guard: Guard): string | undefined {
  const value = mustParsePrefix(text);
  const touched = (list: readonly string[]): string | undefined => list.find((entry) => isInside(entry, value));
  const own = touched(guard.ownAddresses);
  if (own !== undefined) return `${explain(text, own)} an address of this gateway`;
  const route = touched(guard.defaultRoutes);
  if (route !== undefined) return `${explain(text, route)} the next hop of this gateway's default route`;
  const listed = guard.neverBlock.find((entry) => {
    const outer = parsePrefix(entry);
    return outer !== undefined && contains(outer, value);
  });
  return listed === undefined ? undefined : `${text} is on the owner's list of hosts never to block (${listed})`;
}

function isInside(entry: string, value: Prefix): boolean {
  const inner = parsePrefix(entry);
  return inner !== undefined && contains(value, inner);
}

function explain(value: string, entry: string): string {
  return value === entry ? `${value} is` : `${value} holds ${entry},`;
}
