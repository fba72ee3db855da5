/** What `nft -j list table inet picket` says, reduced to what can be compared with what was asked for. */
import { z } from 'zod';
import { parseAddress } from '@picket/shared/policy/decision-value';
import type { TableCounters } from './nft-batch.ts';
import { elementKey, type Ruleset } from './nft-ruleset.ts';

export interface TableReading {
  readonly exists: boolean;
  /** By `elementKey`; the decision id that stands beside it, if any. */
  readonly elements: ReadonlyMap<string, string | undefined>;
  readonly counters: TableCounters;
  /** Sets, chains and rules in order, without handles, elements and counts: equal while nobody else touched them. */
  readonly structure: string;
}

export const noTable: TableReading = {
  exists: false,
  elements: new Map(),
  counters: { dropped: 0, wouldDrop: 0 },
  structure: '',
};

const Listing = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });
const SetEntry = z.looseObject({
  name: z.string(),
  flags: z.array(z.string()).optional(),
  elem: z.array(z.unknown()).optional(),
});
const CounterEntry = z.object({ name: z.string(), packets: z.number() });

/** Throws where the text is not what nft writes. */
export function readTable(listing: string): TableReading {
  const elements = new Map<string, string | undefined>();
  const structure: unknown[] = [];
  let dropped = 0;
  let wouldDrop = 0;
  for (const entry of Listing.parse(JSON.parse(listing)).nftables) {
    if (entry['set'] !== undefined) {
      const set = SetEntry.parse(entry['set']);
      const isOurs = set.flags?.includes('timeout') === true;
      structure.push(withoutHandle(isOurs ? { ...set, elem: undefined } : set));
      if (!isOurs) continue;
      for (const member of set.elem ?? []) {
        const { value, comment } = readElement(member);
        elements.set(elementKey(set.name, partsOf(value)), comment);
      }
    } else if (entry['counter'] !== undefined) {
      const counter = CounterEntry.parse(entry['counter']);
      if (counter.name === 'dropped') dropped = counter.packets;
      if (counter.name === 'would_drop') wouldDrop = counter.packets;
    } else if (entry['chain'] !== undefined || entry['rule'] !== undefined) {
      structure.push(withoutHandle(entry['chain'] ?? entry['rule']));
    }
  }
  return { exists: true, elements, counters: { dropped, wouldDrop }, structure: JSON.stringify(structure) };
}

/**
 * How the kernel differs from what it should hold; undefined where it does not. Elements that run out within
 * `graceMs` may be there or not.
 */
export function findDrift(
  reading: TableReading,
  expected: Ruleset,
  structure: string | undefined,
  nowMs: number,
): string | undefined {
  if (!reading.exists) return 'the table is gone';
  if (structure !== undefined && reading.structure !== structure) return 'sets, chains or rules were changed';
  for (const [key, element] of expected.elements) {
    if (!reading.elements.has(key) && element.expiresAtMs - nowMs > graceMs) return `"${key}" is missing`;
  }
  for (const key of reading.elements.keys()) {
    if (!expected.elements.has(key)) return `"${key}" is there though nothing asks for it`;
  }
  return undefined;
}

/** The kernel counts in its own ticks, and whole seconds are given to it. */
const graceMs = 2000;

/** An element stands bare, or wrapped with what belongs to it. By hand: there may be tens of thousands. */
function readElement(member: unknown): { readonly value: unknown; readonly comment: string | undefined } {
  const wrapped = property(member, 'elem');
  if (wrapped === undefined) return { value: member, comment: undefined };
  const comment = property(wrapped, 'comment');
  return { value: property(wrapped, 'val'), comment: typeof comment === 'string' ? comment : undefined };
}

function partsOf(value: unknown): readonly string[] {
  const concat = property(value, 'concat');
  return Array.isArray(concat) ? concat.map(canonical) : [canonical(value)];
}

function canonical(part: unknown): string {
  const text = typeof part === 'string' || typeof part === 'number' ? String(part) : JSON.stringify(part);
  if (!text.includes(':')) return text;
  const address = parseAddress(text);
  return address.ok ? address.address : text;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function withoutHandle(entry: unknown): unknown {
  return JSON.parse(JSON.stringify(entry, (key, value: unknown) => (key === 'handle' ? undefined : value)));
}
