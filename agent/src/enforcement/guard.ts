/**
 * What may never be cut. The guard protects conversations, not destinations: a rule that accepted everything to the
 * gateway's own address would let a blocked host reach it.
 */
import { parseDecisionValue, type DecisionTarget } from '@picket/shared/policy/decision-value';
import { guardedAddress, guardingPrefix } from '@picket/shared/policy/guarded-address';
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
  switch (target.scope) {
    case 'port':
      return guard.managementPorts.includes(target.port) && target.protocol === 'tcp'
        ? `${target.protocol}/${target.port} is a management port of this gateway`
        : undefined;
    case 'device':
      return target.mac === undefined ? refuseAddresses(target, guard) : refuseMac(target.mac, guard);
    case 'pair':
      // the device may be the gateway: then it is the peer that is kept from it
      return (
        refuseAddresses(target, guard) ??
        (guard.ownAddresses.includes(target.device)
          ? undefined
          : refuseAddresses({ scope: 'ip', family: target.family, address: target.device }, guard))
      );
    case 'ip':
    case 'ip+port':
    case 'cidr':
      return refuseAddresses(target, guard);
  }
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

function refuseAddresses(target: DecisionTarget, guard: Guard): string | undefined {
  const own = guardedAddress(target, guard.ownAddresses);
  if (own !== undefined) return `${explain(target, own)} an address of this gateway`;
  const route = guardedAddress(target, guard.defaultRoutes);
  if (route !== undefined) return `${explain(target, route)} the next hop of this gateway's default route`;
  // a network may hold one: then it is its hosts that are meant
  const everyone = guard.broadcastAddresses.find((address) => address === hostText(target));
  if (everyone !== undefined) return `${everyone} is the broadcast address of a subnet of this gateway, no host`;
  const listed = guardingPrefix(target, guard.neverBlock);
  return listed === undefined
    ? undefined
    : `${textOf(target)} is on the owner's list of hosts never to block (${listed})`;
}

function explain(target: DecisionTarget, entry: string): string {
  const text = textOf(target);
  return text === entry ? `${text} is` : `${text} holds ${entry},`;
}

function hostText(target: DecisionTarget): string {
  return target.scope === 'cidr' && target.family === 'ipv4' && target.prefix === 32 ? target.network : textOf(target);
}

function textOf(target: DecisionTarget): string {
  if (target.scope === 'cidr') return `${target.network}/${target.prefix}`;
  if (target.scope === 'pair') return target.peer;
  return 'address' in target ? target.address : '';
}
