/** Our tables as a whole: read, in outline or with all elements, and made anew whatever stands there. */
import type { ElementPlan } from './element-plan.ts';
import { FirewallError } from './firewall.ts';
import type { HeldTables, Tables } from './held-tables.ts';
import type { AskedElements, Kernel } from './kernel.ts';
import type { Guard } from './guard.ts';
import { elementsIn, fullBatch, toAsk, type BatchOptions } from './nft-batch.ts';
import type { TableFamily } from './nft-expression.ts';
import { filledGuardSets } from './nft-guard.ts';
import {
  findDrift,
  joinGuardElements,
  noTable,
  readTable,
  structureAsked,
  structureDrift,
  type ElementReading,
  type TableReading,
} from './nft-reading.ts';
import type { Ruleset } from './nft-ruleset.ts';
import type { CounterValue } from './nft-set.ts';

export interface ReplaceOptions extends BatchOptions {
  readonly families: readonly TableFamily[];
  /** What named counters begin at. */
  readonly counters: ReadonlyMap<TableFamily, ReadonlyMap<string, CounterValue>>;
  readonly now: () => number;
}

export interface ReplacedTables {
  readonly tables: Tables;
  /** Why the kernel would take no table of ours on a bridge; undefined where it did, or was not asked to. */
  readonly bridgeRefusal: string | undefined;
}

/** All tables of these families, read back. Throws `FirewallError` where the kernel does not hold them then. */
export async function replaceTables(
  kernel: Kernel,
  plan: ElementPlan,
  options: ReplaceOptions,
  signal: AbortSignal,
): Promise<ReplacedTables> {
  const batches = new Map(
    options.families.map((family) => {
      const counters = options.counters.get(family) ?? new Map<string, CounterValue>();
      return [family, fullBatch(family, plan, { ...options, counters })] as const;
    }),
  );
  let bridgeRefusal: string | undefined;
  const applied = kernel.apply([...batches.values()].flat(), signal);
  const asked = new Map(options.families.map((family) => [family, askedIn(family, plan)])); // while nft is at work
  try {
    await applied;
  } catch (error) {
    if (!batches.has('bridge') || !(error instanceof FirewallError) || error.code !== 'refused') throw error;
    batches.delete('bridge'); // not every kernel has tables of this family
    await kernel.apply([...batches.values()].flat(), signal);
    bridgeRefusal = error.message;
  }
  const tables = new Map<TableFamily, TableReading>();
  for (const [family, batch] of batches) {
    const { expected, elements } = asked.get(family)!;
    const looked = await lookAtNew(kernel, family, expected, elements, options.guard, signal);
    const table = looked ?? (await listTable(kernel, family, signal));
    const structure = structureAsked(batch);
    const drift =
      table.structure.guard.length !== structure.guard || table.structure.decisions.length !== structure.decisions
        ? 'not all sets, chains and rules are there'
        : findDrift(table, expected, table.structure, options.now());
    if (drift !== undefined) {
      throw new FirewallError('not-verified', `the kernel took the rules but does not hold them: ${drift}`);
    }
    tables.set(family, table);
  }
  return { tables, bridgeRefusal };
}

/** What the table of this family shall hold, and the same as the kernel is asked for it. */
function askedIn(
  family: TableFamily,
  plan: ElementPlan,
): { readonly expected: Ruleset['elements']; readonly elements: AskedElements } {
  const expected = elementsIn(family, plan);
  return { expected, elements: { present: toAsk(expected.values()), absent: [] } };
}

/**
 * A table that was made from nothing a moment ago holds what the batch says or less, so that only that is asked for:
 * thousands of elements are not listed. Undefined where one of them is not there, be it that it has run out.
 */
async function lookAtNew(
  kernel: Kernel,
  family: TableFamily,
  expected: Ruleset['elements'],
  elements: AskedElements,
  guard: Guard,
  signal: AbortSignal,
): Promise<TableReading | undefined> {
  const looking = Promise.all([
    kernel.outline(family, signal, elements),
    ...filledGuardSets(guard).map((name) => kernel.list(family, signal, name)),
  ]);
  const found = new Map<string, ElementReading>();
  for (const [key, { decisionId }] of expected) found.set(key, { decisionId, packets: 0 });
  const [outline, ...listings] = await looking;
  if (outline === undefined || listings.includes(undefined)) return undefined;
  const guardSets = listings.map((listing) => readTable(listing!));
  const { exists, counters, structure } = readTable(outline, true);
  return {
    exists,
    counters,
    structure: { ...structure, guardElements: joinGuardElements(guardSets) },
    elements: found,
  };
}

/** All that stands in them. Throws `FirewallError`. */
export async function listTables(
  kernel: Kernel,
  families: readonly TableFamily[],
  signal: AbortSignal,
): Promise<Tables> {
  return new Map(
    await Promise.all(families.map(async (family) => [family, await listTable(kernel, family, signal)] as const)),
  );
}

async function listTable(kernel: Kernel, family: TableFamily, signal: AbortSignal): Promise<TableReading> {
  const listing = await kernel.list(family, signal);
  return listing === undefined ? noTable() : readTable(listing);
}

/** The same without the elements of their sets. Throws `FirewallError`. */
export async function outlineTables(
  kernel: Kernel,
  families: Iterable<TableFamily>,
  signal: AbortSignal,
): Promise<Tables> {
  const tables = new Map<TableFamily, TableReading>();
  for (const family of families) {
    const outline = await kernel.outline(family, signal);
    tables.set(family, outline === undefined ? noTable() : readTable(outline, true));
  }
  return tables;
}

/** How tables, chains and rules differ from what was left; undefined where they do not. */
export function outlineDrift(outline: Tables, { structures }: HeldTables): string | undefined {
  for (const [family, { exists, structure }] of outline) {
    const drift = exists ? structureDrift(structure, structures.get(family)!) : 'the table is gone';
    if (drift !== undefined) return drift;
  }
  return undefined;
}
