/** One set of the private table with its counter and the rules that make its elements count, in libnftables JSON. */
import {
  address,
  addressType,
  ctState,
  drop,
  inTable,
  match,
  meta,
  payload,
  rule,
  type Expression,
  type NftCommand,
  type TableFamily,
} from './nft-expression.ts';
import type { KernelSet, SetShape, SetSide } from './nft-ruleset.ts';
import { maskText } from '@picket/shared/policy/prefix';

export interface RateLimit {
  readonly packetsPerSecond: number;
  readonly burstPackets: number;
}

/** What a named counter has counted. */
export interface CounterValue {
  readonly packets: number;
  readonly bytes: number;
}

/** Does this set stand in the table of this family? */
export function standsIn({ shape }: KernelSet, family: TableFamily): boolean {
  return family === 'bridge' || shape.kind !== 'mac' || shape.side === 'from';
}

/** Sets that only count lead to no verdict; their names begin like this. */
export function isCounting({ effect }: Pick<KernelSet, 'effect'>): boolean {
  return effect === 'countdrop' || effect === 'countlimit' || effect === 'countwan';
}

/** More than may ever be held: a pair is two elements, and 20,000 decisions may be pairs. Takes 1 MiB of the kernel. */
const roomForMany = 65_536;

/** The counter has the set's name, and begins at `counted`. */
export function addCounter(family: TableFamily, name: string, counted: CounterValue | undefined): NftCommand {
  return { add: { counter: { ...inTable(family), name, packets: counted?.packets ?? 0, bytes: counted?.bytes ?? 0 } } };
}

/**
 * Whoever puts in thousands of elements with it says so by `holdsMany`: the kernel makes room for them once, and not again
 * and again while they come.
 */
export function addSet(family: TableFamily, set: KernelSet, rateLimit: RateLimit, holdsMany = false): NftCommand {
  const { name, shape } = set;
  const limit = { rate: rateLimit.packetsPerSecond, burst: rateLimit.burstPackets, per: 'second', inv: true };
  // each element carries its own counter, or its own bucket: it matches, and counts, only what is over the limit
  const stmt = [...(isLimit(set) ? [{ limit }] : []), { counter: null }];
  const size = holdsMany ? { size: roomForMany } : {};
  return { add: { set: { ...inTable(family), name, type: typeOf(shape), flags: ['timeout'], ...size, stmt } } };
}

/** In the order they are to be looked at; one for each side where the set is looked for on both. */
export function setRules(family: TableFamily, set: KernelSet): readonly NftCommand[] {
  return sidesOf(set.shape).flatMap((side) => {
    const found = [match(keyOf(set.shape, side), `@${set.name}`), { counter: set.name }];
    // what is simulated is counted once, and then judged as if nothing had been said
    const verdict: Expression = isCounting(set) ? { return: null } : drop;
    return onlyWhat(family, set, side).map((first) => rule(family, chainOf(set), [...first, ...found, verdict]));
  });
}

/** What of a packet is looked for in the set; one for each side where it is looked for on both. */
export function setKeys({ shape }: KernelSet): readonly unknown[] {
  return sidesOf(shape).map((side) => keyOf(shape, side));
}

/** What drops first, what limits last, so that a packet which meets both is counted for what cuts it off. */
export function inOrder(sets: readonly KernelSet[]): readonly KernelSet[] {
  return [...sets.filter((set) => !isLimit(set)), ...sets.filter(isLimit)];
}

function chainOf(set: KernelSet): 'simulated' | 'decisions' {
  return isCounting(set) ? 'simulated' : 'decisions';
}

function sidesOf(shape: SetShape): readonly SetSide[] {
  if (!('side' in shape)) return ['from'];
  return shape.side === 'both' ? ['from', 'to'] : [shape.side];
}

/** A target under flood keeps its running conversations; a host that is slowed down is slowed in all of them. */
function onlyWhat(family: TableFamily, set: KernelSet, side: SetSide): readonly (readonly Expression[])[] {
  if (set.effect === 'wan' || set.effect === 'countwan') return beyondLan(set.shape, side);
  if (!isLimit(set) || !('side' in set.shape) || side === 'from') return [[]];
  if (family === 'inet') return [[ctState(['new', 'invalid', 'untracked'])]];
  // not every kernel tracks connections on a bridge: new ones are told by their first packet
  const finSynRstAck = 0x17;
  const syn = 0x02;
  return [[match({ '&': [payload('tcp', 'flags'), finSynRstAck] }, syn)], [match(meta('l4proto'), 'tcp', '!=')]];
}

/** Private, link-local and group addresses: where a device without its WAN may still go. */
const lanPrefixes = {
  ipv4: ['10.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16', '224.0.0.0/3'],
  ipv6: ['fc00::/7', 'fe80::/10', 'ff00::/8'],
} as const;

/** The other side of the packet is not of the LAN, whichever hook sees it. */
function beyondLan(shape: SetShape, side: SetSide): readonly (readonly Expression[])[] {
  const families = 'family' in shape ? [shape.family] : (['ipv4', 'ipv6'] as const);
  const other = side === 'to' ? 'from' : 'to';
  return families.map((family) => {
    const lan = lanPrefixes[family].map((text) => {
      const [addr, len] = text.split('/');
      return { prefix: { addr, len: Number(len) } };
    });
    return [match(address(family, other), { set: lan }, '!=')];
  });
}

function isLimit({ effect }: KernelSet): boolean {
  return effect === 'limit' || effect === 'countlimit';
}

function typeOf(shape: SetShape): unknown {
  switch (shape.kind) {
    case 'host':
    case 'net':
      return addressType(shape.family);
    case 'service':
      return [addressType(shape.family), 'inet_proto', 'inet_service'];
    case 'pair':
      return [addressType(shape.family), addressType(shape.family)];
    case 'port':
      return ['inet_proto', 'inet_service'];
    case 'mac':
      return 'ether_addr';
  }
}

function keyOf(shape: SetShape, side: SetSide): unknown {
  switch (shape.kind) {
    case 'host':
      return address(shape.family, side);
    case 'net':
      return { '&': [address(shape.family, side), maskText(shape.family, shape.length)] };
    case 'service':
      return { concat: [address(shape.family, side), meta('l4proto'), payload('th', 'dport')] };
    case 'pair':
      return { concat: [address(shape.family, 'from'), address(shape.family, 'to')] };
    case 'port':
      return { concat: [meta('l4proto'), payload('th', side === 'to' ? 'dport' : 'sport')] };
    case 'mac':
      return payload('ether', side === 'from' ? 'saddr' : 'daddr');
  }
}
