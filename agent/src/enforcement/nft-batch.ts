/**
 * A ruleset as libnftables JSON for the private table `inet picket`: the guard's chains first, then the decisions, at
 * input, output and forward, ahead of the usual filter. Pure. Only our own table is ever named.
 *
 * Frames that a bridge forwards without routing do not pass `inet forward`; a table of the bridge family for them is
 * not built yet.
 */
import type { AddressFamily } from '@picket/shared/policy/decision-value';
import type { Guard } from './guard.ts';
import type { KernelElement, KernelSet, Ruleset, SetSide } from './nft-ruleset.ts';
import { mustParsePrefix, maskText, withoutContained, type Prefix } from '@picket/shared/policy/prefix';

export type NftCommand = Readonly<Record<string, unknown>>;
type Expression = Readonly<Record<string, unknown>>;

export const tableName = 'picket';
const table = { family: 'inet', table: tableName } as const;
/** Ahead of `filter` (0), so that no other table's `ct state established accept` lets a blocked host through. */
const priority = -10;

/** Named counters of the table; carried over when the table is made anew. */
export interface TableCounters {
  readonly dropped: number;
  readonly wouldDrop: number;
}

export interface RateLimit {
  readonly packetsPerSecond: number;
  readonly burstPackets: number;
}

export interface BatchOptions {
  readonly guard: Guard;
  readonly counters: TableCounters;
  readonly rateLimit: RateLimit;
  readonly nowMs: number;
}

/** The whole table, in place of whatever stood there under its name. */
export function fullBatch(ruleset: Ruleset, options: BatchOptions): readonly NftCommand[] {
  const { guard, counters } = options;
  const sets = [...ruleset.sets.values()];
  return [
    ...dropTable(),
    { add: { table: { family: 'inet', name: tableName } } },
    { add: { counter: { ...table, name: 'dropped', packets: counters.dropped, bytes: 0 } } },
    { add: { counter: { ...table, name: 'would_drop', packets: counters.wouldDrop, bytes: 0 } } },
    ...sets.map((set) => addSet(set, options.rateLimit)),
    ...neverBlockSets(guard),
    ...['guard_input', 'guard_output', 'guard_forward', 'decisions'].map((name) => ({
      add: { chain: { ...table, name } },
    })),
    ...['input', 'output', 'forward'].map((hook) => ({
      add: { chain: { ...table, name: hook, type: 'filter', hook, prio: priority, policy: 'accept' } },
    })),
    ...guardInput(guard),
    ...guardOutput(guard),
    ...guardForward(guard),
    // counting goes first: what is only simulated is counted even where another decision drops
    ...sets.filter(isCounting).map(setRule),
    ...sets.filter((set) => !isCounting(set)).map(setRule),
    ...['input', 'output', 'forward'].flatMap((hook) => [
      rule(hook, [{ jump: { target: `guard_${hook}` } }]),
      rule(hook, [{ jump: { target: 'decisions' } }]),
    ]),
    ...addElements([...ruleset.elements.values()], options.nowMs),
  ];
}

/** Only what differs; undefined where sets would have to be made, which takes the whole table. */
export function changeBatch(before: Ruleset, after: Ruleset, nowMs: number): readonly NftCommand[] | undefined {
  for (const name of after.sets.keys()) if (!before.sets.has(name)) return undefined;
  const gone: KernelElement[] = [];
  const added: KernelElement[] = [];
  for (const [key, element] of before.elements) {
    const next = after.elements.get(key);
    const isSame = next !== undefined && next.expiresAtMs === element.expiresAtMs;
    // what has run out is gone already, and naming it would fail the batch
    if (!isSame && element.expiresAtMs > nowMs) gone.push(element);
  }
  for (const [key, element] of after.elements) {
    if (before.elements.get(key)?.expiresAtMs !== element.expiresAtMs) added.push(element);
  }
  return [
    ...bySet(gone).map(([set, elements]) => ({
      delete: { element: { ...table, name: set, elem: elements.map(elementValue) } },
    })),
    ...addElements(added, nowMs),
  ];
}

/** Works whether the table is there or not. */
export function dropTable(): readonly NftCommand[] {
  return [
    { add: { table: { family: 'inet', name: tableName } } },
    { delete: { table: { family: 'inet', name: tableName } } },
  ];
}

function addElements(elements: readonly KernelElement[], nowMs: number): readonly NftCommand[] {
  return bySet(elements).map(([set, members]) => ({
    add: {
      element: {
        ...table,
        name: set,
        elem: members.map((element) => ({
          elem: {
            val: elementValue(element),
            // whole seconds; rather a moment early than past the decision's end
            timeout: Math.max(1, Math.floor((element.expiresAtMs - nowMs) / 1000)),
            comment: element.decisionId,
          },
        })),
      },
    },
  }));
}

function bySet(elements: readonly KernelElement[]): readonly (readonly [string, readonly KernelElement[]])[] {
  return [...Map.groupBy(elements, (element) => element.set)];
}

function elementValue({ parts }: KernelElement): unknown {
  return parts.length === 1 ? parts[0] : { concat: parts };
}

function addSet({ name, effect, shape }: KernelSet, rateLimit: RateLimit): NftCommand {
  const limit = { rate: rateLimit.packetsPerSecond, burst: rateLimit.burstPackets, per: 'second', inv: true };
  const isLimit = effect === 'limit' || effect === 'countlimit';
  const type = {
    host: () => addressType(shape),
    net: () => addressType(shape),
    service: () => [addressType(shape), 'inet_proto', 'inet_service'],
    pair: () => [addressType(shape), addressType(shape)],
    port: () => ['inet_proto', 'inet_service'],
    mac: () => 'ether_addr',
  }[shape.kind]();
  // each element carries its own counter, or its own bucket: it matches only what is over the limit
  return {
    add: { set: { ...table, name, type, flags: ['timeout'], stmt: [isLimit ? { limit } : { counter: null }] } },
  };
}

function addressType(shape: KernelSet['shape']): string {
  return 'family' in shape && shape.family === 'ipv6' ? 'ipv6_addr' : 'ipv4_addr';
}

function isCounting({ effect }: KernelSet): boolean {
  return effect === 'countdrop' || effect === 'countlimit';
}

function setRule(set: KernelSet): NftCommand {
  const { effect, shape } = set;
  const isLimit = effect === 'limit' || effect === 'countlimit';
  // a target under flood keeps its running conversations; a host that is slowed down is slowed in all of them
  const onlyNew = isLimit && 'side' in shape && shape.side === 'to' ? [ctState(['new', 'invalid', 'untracked'])] : [];
  const verdict = isCounting(set) ? [{ counter: 'would_drop' }] : [{ counter: 'dropped' }, { drop: null }];
  return rule('decisions', [...onlyNew, match(keyOf(shape), `@${set.name}`), ...verdict]);
}

function keyOf(shape: KernelSet['shape']): unknown {
  switch (shape.kind) {
    case 'host':
      return address(shape.family, shape.side);
    case 'net':
      return { '&': [address(shape.family, shape.side), maskText(shape.family, shape.length)] };
    case 'service':
      return { concat: [address(shape.family, shape.side), { meta: { key: 'l4proto' } }, payload('th', 'dport')] };
    case 'pair':
      return { concat: [address(shape.family, 'from'), address(shape.family, 'to')] };
    case 'port':
      return { concat: [{ meta: { key: 'l4proto' } }, payload('th', shape.side === 'to' ? 'dport' : 'sport')] };
    case 'mac':
      return payload('ether', 'saddr');
  }
}

/** The gateway's own conversations, answers only: a controller that is blocked cannot open one. */
function guardInput(guard: Guard): readonly NftCommand[] {
  const answers = [ctState(['established', 'related']), match({ ct: { key: 'direction' } }, 'reply')];
  return [
    rule('guard_input', [match({ meta: { key: 'iifname' } }, 'lo'), accept]),
    ...guard.controllers.map((controller) =>
      rule('guard_input', [fromHost(controller.address), port('tcp', 'sport', controller.port), ...answers, accept]),
    ),
    ...services(guard).map(({ host, protocol, number }) =>
      rule('guard_input', [fromHost(host), port(protocol, 'sport', number), ...answers, accept]),
    ),
    rule('guard_input', [port('udp', 'sport', 67), port('udp', 'dport', 68), accept]),
    rule('guard_input', [port('udp', 'sport', 547), port('udp', 'dport', 546), accept]),
    ...admins(guard).map((prefix) =>
      rule('guard_input', [side(prefix, 'from'), managementPorts('dport', guard), accept]),
    ),
  ];
}

function guardOutput(guard: Guard): readonly NftCommand[] {
  return [
    rule('guard_output', [match({ meta: { key: 'oifname' } }, 'lo'), accept]),
    ...guard.controllers.map((controller) =>
      rule('guard_output', [toHost(controller.address), port('tcp', 'dport', controller.port), accept]),
    ),
    ...services(guard).map(({ host, protocol, number }) =>
      rule('guard_output', [toHost(host), port(protocol, 'dport', number), accept]),
    ),
    rule('guard_output', [port('udp', 'sport', 68), port('udp', 'dport', 67), accept]),
    rule('guard_output', [port('udp', 'sport', 546), port('udp', 'dport', 547), accept]),
    ...admins(guard).map((prefix) =>
      rule('guard_output', [side(prefix, 'to'), managementPorts('sport', guard), accept]),
    ),
  ];
}

function guardForward(guard: Guard): readonly NftCommand[] {
  return neverBlockFamilies(guard).flatMap(({ family }) =>
    (['from', 'to'] as const).map((which) =>
      rule('guard_forward', [match(address(family, which), `@never_block_${family}`), accept]),
    ),
  );
}

function neverBlockSets(guard: Guard): readonly NftCommand[] {
  return neverBlockFamilies(guard).flatMap(({ family, prefixes }) => {
    const name = `never_block_${family}`;
    const type = family === 'ipv6' ? 'ipv6_addr' : 'ipv4_addr';
    return [
      { add: { set: { ...table, name, type, flags: ['interval'] } } },
      { add: { element: { ...table, name, elem: prefixes.map(prefixValue) } } },
    ];
  });
}

function neverBlockFamilies(
  guard: Guard,
): readonly { readonly family: AddressFamily; readonly prefixes: readonly Prefix[] }[] {
  const all = withoutContained(guard.neverBlock.map(mustParsePrefix));
  return (['ipv4', 'ipv6'] as const)
    .map((family) => ({ family, prefixes: all.filter((prefix) => prefix.family === family) }))
    .filter(({ prefixes }) => prefixes.length > 0);
}

function services(
  guard: Guard,
): readonly { readonly host: string; readonly protocol: 'tcp' | 'udp'; readonly number: number }[] {
  return [
    ...guard.dnsServers.flatMap((host) =>
      (['udp', 'tcp'] as const).map((protocol) => ({ host, protocol, number: 53 })),
    ),
    ...guard.ntpServers.map((host) => ({ host, protocol: 'udp' as const, number: 123 })),
  ];
}

function admins(guard: Guard): readonly Prefix[] {
  return guard.managementPorts.length > 0 ? withoutContained(guard.adminPrefixes.map(mustParsePrefix)) : [];
}

const accept: Expression = { accept: null };

function rule(chain: string, expr: readonly Expression[]): NftCommand {
  return { add: { rule: { ...table, chain, expr } } };
}

function match(left: unknown, right: unknown, op = '=='): Expression {
  return { match: { op, left, right } };
}

function payload(protocol: string, field: string): Expression {
  return { payload: { protocol, field } };
}

function address(family: AddressFamily, which: SetSide): Expression {
  return payload(family === 'ipv4' ? 'ip' : 'ip6', which === 'from' ? 'saddr' : 'daddr');
}

function prefixValue({ family, network, length }: Prefix): unknown {
  return length === (family === 'ipv4' ? 32 : 128) ? network : { prefix: { addr: network, len: length } };
}

function side(prefix: Prefix, which: SetSide): Expression {
  return match(address(prefix.family, which), prefixValue(prefix));
}

function fromHost(host: string): Expression {
  return side(mustParsePrefix(host), 'from');
}

function toHost(host: string): Expression {
  return side(mustParsePrefix(host), 'to');
}

function port(protocol: 'tcp' | 'udp', field: 'sport' | 'dport', number: number): Expression {
  return match(payload(protocol, field), number);
}

function managementPorts(field: 'sport' | 'dport', guard: Guard): Expression {
  return match(payload('tcp', field), { set: [...new Set(guard.managementPorts)] });
}

function ctState(states: readonly string[]): Expression {
  return match({ ct: { key: 'state' } }, states, 'in');
}
