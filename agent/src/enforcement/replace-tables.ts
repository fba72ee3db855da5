/** Our tables as a whole: read, in outline or with all elements, and made anew whatever stands there. */
import type { ElementPlan } from './element-plan.ts';
import { FirewallError } from './firewall.ts';
import type { HeldTables, Tables } from './held-tables.ts';
import type { Kernel } from './kernel.ts';
import { elementsIn, fullBatch, type BatchOptions } from './nft-batch.ts';
import type { TableFamily } from './nft-expression.ts';
import { findDrift, noTable, readTable, structureAsked, structureDrift, type TableReading } from './nft-reading.ts';
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
  try {
    await kernel.apply([...batches.values()].flat(), signal);
  } catch (error) {
    if (!batches.has('bridge') || !(error instanceof FirewallError) || error.code !== 'refused') throw error;
    batches.delete('bridge'); // not every kernel has tables of this family
    await kernel.apply([...batches.values()].flat(), signal);
    bridgeRefusal = error.message;
  }
  const tables = await listTables(kernel, [...batches.keys()], signal);
  for (const [family, table] of tables) {
    const asked = structureAsked(batches.get(family)!);
    const drift =
      table.structure.guard.length !== asked.guard || table.structure.decisions.length !== asked.decisions
        ? 'not all sets, chains and rules are there'
        : findDrift(table, elementsIn(family, plan), table.structure, options.now());
    if (drift !== undefined) {
      throw new FirewallError('not-verified', `the kernel took the rules but does not hold them: ${drift}`);
    }
  }
  return { tables, bridgeRefusal };
}

/** All that stands in them. Throws `FirewallError`. */
export async function listTables(
  kernel: Kernel,
  families: readonly TableFamily[],
  signal: AbortSignal,
): Promise<Tables> {
  return new Map(
    await Promise.all(
      families.map(async (family) => {
        const listing = await kernel.list(family, signal);
        return [family, listing === undefined ? noTable() : readTable(listing)] as const;
      }),
    ),
  );
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

/** How tables, chains and rules differ from what was left; undefined where they do not, or nothing was. */
export async function outlineDrift(
  kernel: Kernel,
  held: HeldTables | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (held === undefined) return undefined;
  for (const [family, { exists, structure }] of await outlineTables(kernel, held.structures.keys(), signal)) {
    const drift = exists ? structureDrift(structure, held.structures.get(family)!) : 'the table is gone';
    if (drift !== undefined) return drift;
  }
  return undefined;
}
