/** What `nft -j list table FAMILY picket` says, reduced to what can be compared with what was asked for. */
import { z } from 'zod';
import { parseAddress } from '@picket/shared/policy/decision-value';
import { tableName, type NftCommand } from './nft-expression.ts';
import { elementKey, type Ruleset } from './nft-ruleset.ts';
import type { CounterValue } from './nft-set.ts';

/** What the kernel says of one element. */
export interface ElementReading {
  /** The decision id that stands beside it, if any. */
  readonly decisionId: string | undefined;
  readonly packets: number;
}

export interface TableReading {
  readonly exists: boolean;
  /** By `elementKey`. */
  readonly elements: Map<string, ElementReading>;
  readonly counters: ReadonlyMap<string, CounterValue>;
  readonly structure: Structure;
}

/** Sets, chains and rules in order, without handles, timed elements and counts: equal while nobody else touched them. */
export interface Structure {
  readonly guard: readonly string[];
  readonly decisions: readonly string[];
  /** Elements of the guard's own sets; null in an outline, which has none. */
  readonly guardElements: string | null;
}

export function noTable(): TableReading {
  return {
    exists: false,
    elements: new Map(),
    counters: new Map(),
    structure: { guard: [], decisions: [], guardElements: '[]' },
  };
}

const Listing = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });
const SetEntry = z.looseObject({
  name: z.string(),
  flags: z.array(z.string()).optional(),
  elem: z.array(z.unknown()).optional(),
});
const CounterEntry = z.object({ name: z.string(), packets: z.number(), bytes: z.number() });
const ChainEntry = z.looseObject({ name: z.string() });
const RuleEntry = z.looseObject({ chain: z.string() });

/** `isOutline`: without elements. Throws where the text is not what nft writes. */
export function readTable(listing: string, isOutline = false): TableReading {
  const elements = new Map<string, ElementReading>();
  const counters = new Map<string, CounterValue>();
  const guard: string[] = [];
  const decisions: string[] = [];
  const partOf = (name: string): string[] => (isGuards(name) ? guard : decisions);
  const guardElements: GuardElements[] = [];
  let exists = false;
  for (const entry of Listing.parse(JSON.parse(listing)).nftables) {
    const [object] = Object.values(entry);
    const isTable = entry['table'] !== undefined;
    // an outline tells of all tables of the family
    if (property(object, isTable ? 'name' : 'table') !== tableName) continue;
    if (isTable) exists = true;
    else if (entry['set'] !== undefined) {
      const set = SetEntry.parse(entry['set']);
      const isTimed = set.flags?.includes('timeout') === true;
      partOf(set.name).push(withoutHandle({ ...set, elem: undefined }));
      if (!isTimed && set.elem !== undefined) guardElements.push([set.name, set.elem]);
      if (!isTimed || isGuards(set.name)) continue;
      for (const member of set.elem ?? []) readElement(set.name, member, elements);
    } else if (entry['counter'] !== undefined) {
      const { name, packets, bytes } = CounterEntry.parse(entry['counter']);
      counters.set(name, { packets, bytes });
    } else if (entry['chain'] !== undefined) {
      const chain = ChainEntry.parse(entry['chain']);
      partOf(chain.name).push(withoutHandle(chain));
    } else if (entry['rule'] !== undefined) {
      const rule = RuleEntry.parse(entry['rule']);
      partOf(rule.chain).push(withoutHandle(rule));
    }
  }
  const structure = { guard, decisions, guardElements: isOutline ? null : textOf(guardElements) };
  return { exists, elements, counters, structure };
}

/** Of listings that are of one set each. */
export function joinGuardElements(readings: readonly TableReading[]): string {
  return textOf(
    readings.flatMap(({ structure }) => JSON.parse(structure.guardElements ?? '[]') as readonly GuardElements[]),
  );
}

type GuardElements = readonly [set: string, elements: unknown];

function textOf(guardElements: readonly GuardElements[]): string {
  return JSON.stringify(guardElements.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Packets that met a set that drops (`dropped`), or one that only counts (`wouldDrop`). */
export function sumCounters(readings: readonly TableReading[]): {
  readonly dropped: number;
  readonly wouldDrop: number;
} {
  let dropped = 0;
  let wouldDrop = 0;
  for (const { counters } of readings) {
    for (const [name, { packets }] of counters) {
      if (name.startsWith('count')) wouldDrop += packets;
      else dropped += packets;
    }
  }
  return { dropped, wouldDrop };
}

/** How many sets, chains and rules a batch asks for, in the guard and in the rest. */
export function structureAsked(commands: readonly NftCommand[]): {
  readonly guard: number;
  readonly decisions: number;
} {
  const asked = { guard: 0, decisions: 0 };
  for (const command of commands) {
    const added = (command['add'] ?? command['insert']) as Readonly<
      Record<string, { readonly name?: string; readonly chain?: string }>
    >;
    const object = added?.['set'] ?? added?.['chain'] ?? added?.['rule'];
    if (object !== undefined) asked[isGuards(object.chain ?? object.name ?? '') ? 'guard' : 'decisions'] += 1;
  }
  return asked;
}

/**
 * How the kernel differs from the elements that it should hold; undefined where it does not. Those that run out within
 * `graceMs` may be there or not.
 */
export function findDrift(
  reading: TableReading,
  expected: Ruleset['elements'],
  structure: Structure,
  nowMs: number,
): string | undefined {
  if (!reading.exists) return 'the table is gone';
  const changed = structureDrift(reading.structure, structure);
  if (changed !== undefined) return changed;
  for (const [key, { expiresAtMs }] of expected) {
    if (!reading.elements.has(key) && expiresAtMs - nowMs > graceMs) return `"${key}" is missing`;
  }
  for (const key of reading.elements.keys()) {
    if (!expected.has(key)) return `"${key}" is there though nothing asks for it`;
  }
  return undefined;
}

/** What differs in sets, chains, rules and the guard's own elements; those are left out where one side is an outline. */
export function structureDrift(found: Structure, asked: Structure): string | undefined {
  const isGuardSame =
    isSame(found.guard, asked.guard) &&
    (found.guardElements === null || asked.guardElements === null || found.guardElements === asked.guardElements);
  if (!isGuardSame) return 'the guard was changed';
  return isSame(found.decisions, asked.decisions) ? undefined : 'sets, chains or rules were changed';
}

export function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((entry, index) => entry === other[index]);
}

/** The kernel counts in its own ticks, and whole seconds are given to it. */
const graceMs = 2000;

function isGuards(name: string): boolean {
  return name.startsWith('guard_') || name.startsWith('never_block_');
}

/** An element stands bare, or wrapped with what belongs to it. By hand: there may be tens of thousands. */
function readElement(set: string, member: unknown, elements: Map<string, ElementReading>): void {
  const wrapped = property(member, 'elem');
  const comment = property(wrapped, 'comment');
  const packets = property(property(wrapped, 'counter'), 'packets');
  elements.set(elementKey(set, partsOf(wrapped === undefined ? member : property(wrapped, 'val'))), {
    decisionId: typeof comment === 'string' ? comment : undefined,
    packets: typeof packets === 'number' ? packets : 0,
  });
}

function partsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [canonical(value)];
  const concat = property(value, 'concat');
  return Array.isArray(concat) ? concat.map(canonical) : [canonical(value)];
}

function canonical(part: unknown): string {
  const text = typeof part === 'string' || typeof part === 'number' ? String(part) : JSON.stringify(part);
  // nft writes IPv6 as we do, but for those that embed an IPv4 address
  if (!text.includes(':') || !text.includes('.')) return text;
  const address = parseAddress(text);
  return address.ok ? address.address : text;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function withoutHandle(entry: unknown): string {
  return JSON.stringify(entry, (key, value: unknown) => (key === 'handle' ? undefined : value));
}
