/** The few expressions of libnftables JSON that our rules are made of. See libnftables-json(5). */
import type { AddressFamily } from '@picket/shared/policy/decision-value';
import { longestOf, mustParsePrefix, type Prefix } from '@picket/shared/policy/prefix';
import type { SetSide } from './nft-ruleset.ts';

export type NftCommand = Readonly<Record<string, unknown>>;
export type Expression = Readonly<Record<string, unknown>>;

/** `inet`: what is routed, and what the gateway itself says and hears. `bridge`: frames that a bridge carries on. */
export type TableFamily = 'inet' | 'bridge';
export const tableName = 'picket';

export const accept: Expression = { accept: null };
export const drop: Expression = { drop: null };

export function inTable(family: TableFamily): { readonly family: TableFamily; readonly table: string } {
  return { family, table: tableName };
}

export function rule(family: TableFamily, chain: string, expr: readonly Expression[]): NftCommand {
  return { add: { rule: { ...inTable(family), chain, expr } } };
}

export function match(left: unknown, right: unknown, op = '=='): Expression {
  return { match: { op, left, right } };
}

export function payload(protocol: string, field: string): Expression {
  return { payload: { protocol, field } };
}

export function meta(key: string): Expression {
  return { meta: { key } };
}

export function address(family: AddressFamily, which: SetSide): Expression {
  return payload(family === 'ipv4' ? 'ip' : 'ip6', which === 'from' ? 'saddr' : 'daddr');
}

export function addressType(family: AddressFamily): 'ipv4_addr' | 'ipv6_addr' {
  return family === 'ipv6' ? 'ipv6_addr' : 'ipv4_addr';
}

export function prefixValue({ family, network, length }: Prefix): unknown {
  return length === longestOf(family) ? network : { prefix: { addr: network, len: length } };
}

export function side(prefix: Prefix, which: SetSide): Expression {
  return match(address(prefix.family, which), prefixValue(prefix));
}

export function fromHost(host: string): Expression {
  return side(mustParsePrefix(host), 'from');
}

export function toHost(host: string): Expression {
  return side(mustParsePrefix(host), 'to');
}

export function port(protocol: 'tcp' | 'udp', field: 'sport' | 'dport', number: number): Expression {
  return match(payload(protocol, field), number);
}

export function ctState(states: readonly string[]): Expression {
  return match({ ct: { key: 'state' } }, states, 'in');
}
