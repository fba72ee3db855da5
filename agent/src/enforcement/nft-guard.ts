/**
 * The guard as chains of the private table, jumped to ahead of every decision. On input and output it accepts the
 * gateway's own conversations: what the gateway says, and answers to it, so that a controller or resolver that is
 * blocked cannot open one. On forward, and between ports of a bridge, only what the owner lists.
 */
import type { AddressFamily } from '@picket/shared/policy/decision-value';
import { mustParsePrefix, withoutContained, type Prefix } from '@picket/shared/policy/prefix';
import type { Guard } from './guard.ts';
import {
  accept,
  address,
  addressType,
  ctState,
  fromHost,
  inTable,
  match,
  meta,
  payload,
  port,
  prefixValue,
  rule,
  side,
  toHost,
  type Expression,
  type NftCommand,
  type TableFamily,
} from './nft-expression.ts';

const families = ['ipv4', 'ipv6'] as const;
/**
 * New conversations a minute that each host of an admin prefix may open with the management ports while it is
 * blocked: enough for a person, too few to guess a password.
 */
const adminConnectionsPerMinute = 12;

export const ownGuardChains: readonly string[] = ['guard_input', 'guard_output'];

export function guardChains(family: TableFamily): readonly string[] {
  return family === 'inet' ? [...ownGuardChains, 'guard_forward'] : ['guard_forward'];
}

/** Those of them that let anything through. */
export function filledGuardChains(family: TableFamily, guard: Guard): readonly string[] {
  return guardChains(family).filter((chain) => chain !== 'guard_forward' || guard.neverBlock.length > 0);
}

/** Part of the guard that the kernel holds, as text: equal where nothing has to change there. */
export function guardText(guard: Guard): string {
  const { controllers, dnsServers, ntpServers, adminPrefixes, managementPorts, neverBlock } = guard;
  return JSON.stringify([controllers, dnsServers, ntpServers, adminPrefixes, managementPorts, neverBlock]);
}

/** Sets of the guard, for a table that has none yet. */
export function guardSets(family: TableFamily): readonly NftCommand[] {
  return families.flatMap((addresses) => {
    const common = { ...inTable(family), type: addressType(addresses) };
    const neverBlock = { add: { set: { ...common, name: neverBlockSet(addresses), flags: ['interval'] } } };
    const admins = {
      add: { set: { ...common, name: adminSet(addresses), flags: ['timeout'], timeout: 60, size: 1024 } },
    };
    return family === 'inet' ? [neverBlock, admins] : [neverBlock];
  });
}

/** Rules and elements of what the owner lists, into chains and sets that are empty. */
export function guardRules(family: TableFamily, guard: Guard): readonly NftCommand[] {
  return families.flatMap((addresses) => {
    const elem = neverBlockPrefixes(guard, addresses).map(prefixValue);
    if (elem.length === 0) return [];
    const name = neverBlockSet(addresses);
    return [
      { add: { element: { ...inTable(family), name, elem } } },
      ...(['from', 'to'] as const).map((which) =>
        rule(family, 'guard_forward', [match(address(addresses, which), `@${name}`), accept]),
      ),
    ];
  });
}

/**
 * Rules for the gateway's own conversations, into chains that are empty. They have the kernel track connections, which
 * costs each packet more than all else of ours: they stand only while somebody is restricted.
 */
export function ownGuardRules(family: TableFamily, guard: Guard): readonly NftCommand[] {
  return family === 'inet' ? [...guardInput(guard), ...guardOutput(guard)] : [];
}

/** Takes those out. */
export function emptyOwnGuard(family: TableFamily): readonly NftCommand[] {
  return family === 'inet' ? ownGuardChains.map((name) => ({ flush: { chain: { ...inTable(family), name } } })) : [];
}

/** Takes rules and elements of the guard out; what follows in the same batch is as one with it. */
export function emptyGuardChains(family: TableFamily): readonly NftCommand[] {
  return [
    ...guardChains(family).map((name) => ({ flush: { chain: { ...inTable(family), name } } })),
    ...families.map((addresses) => ({ flush: { set: { ...inTable(family), name: neverBlockSet(addresses) } } })),
  ];
}

function guardInput(guard: Guard): readonly NftCommand[] {
  const input = (...expr: readonly Expression[]): NftCommand => rule('inet', 'guard_input', [...expr, accept]);
  const answers = [ctState(['established', 'related']), match({ ct: { key: 'direction' } }, 'reply')];
  return [
    input(match(meta('iifname'), 'lo')),
    ...guard.controllers.map((controller) =>
      input(fromHost(controller.address), port('tcp', 'sport', controller.port), ...answers),
    ),
    ...services(guard).map(({ host, protocol, number }) =>
      input(fromHost(host), port(protocol, 'sport', number), ...answers),
    ),
    // a lease is first asked for over a packet socket, which no rule is ahead of; it is renewed by unicast
    input(port('udp', 'sport', 67), port('udp', 'dport', 68), ...answers),
    // DHCPv6 asks by multicast, so that its answers look new: from the link only, and few
    input(side(mustParsePrefix('fe80::/10'), 'from'), port('udp', 'sport', 547), port('udp', 'dport', 546), {
      limit: { rate: 10, per: 'second', burst: 10 },
    }),
    ...admins(guard).flatMap((prefix) => [
      input(side(prefix, 'from'), managementPorts('dport', guard), ctState(['established'])),
      input(side(prefix, 'from'), managementPorts('dport', guard), slowly(prefix.family)),
    ]),
  ];
}

function guardOutput(guard: Guard): readonly NftCommand[] {
  const output = (...expr: readonly Expression[]): NftCommand => rule('inet', 'guard_output', [...expr, accept]);
  return [
    output(match(meta('oifname'), 'lo')),
    ...guard.controllers.map((controller) => output(toHost(controller.address), port('tcp', 'dport', controller.port))),
    ...services(guard).map(({ host, protocol, number }) => output(toHost(host), port(protocol, 'dport', number))),
    output(port('udp', 'sport', 68), port('udp', 'dport', 67)),
    output(port('udp', 'sport', 546), port('udp', 'dport', 547)),
    ...admins(guard).map((prefix) => output(side(prefix, 'to'), managementPorts('sport', guard))),
  ];
}

function slowly(family: AddressFamily): Expression {
  return {
    set: {
      op: 'update',
      elem: address(family, 'from'),
      set: `@${adminSet(family)}`,
      stmt: [{ limit: { rate: adminConnectionsPerMinute, per: 'minute', burst: adminConnectionsPerMinute } }],
    },
  };
}

/** Names of the sets that hold what the owner lists, without those that are empty. */
export function filledGuardSets(guard: Guard): readonly string[] {
  return families.filter((family) => neverBlockPrefixes(guard, family).length > 0).map(neverBlockSet);
}

function neverBlockSet(family: AddressFamily): string {
  return `never_block_${family}`;
}

function adminSet(family: AddressFamily): string {
  return `guard_admin_${family}`;
}

function neverBlockPrefixes(guard: Guard, family: AddressFamily): readonly Prefix[] {
  return withoutContained(guard.neverBlock.map(mustParsePrefix)).filter((prefix) => prefix.family === family);
}

function services(
  guard: Guard,
): readonly { readonly host: string; readonly protocol: 'tcp' | 'udp'; readonly number: number }[] {
  return [
    ...guard.dnsServers.flatMap((host) => [
      { host, protocol: 'udp' as const, number: 53 },
      { host, protocol: 'tcp' as const, number: 53 },
      { host, protocol: 'tcp' as const, number: 853 }, // over TLS
    ]),
    ...guard.ntpServers.map((host) => ({ host, protocol: 'udp' as const, number: 123 })),
  ];
}

function admins(guard: Guard): readonly Prefix[] {
  return guard.managementPorts.length > 0 ? withoutContained(guard.adminPrefixes.map(mustParsePrefix)) : [];
}

function managementPorts(field: 'sport' | 'dport', guard: Guard): Expression {
  return match(payload('tcp', field), { set: [...new Set(guard.managementPorts)] });
}
