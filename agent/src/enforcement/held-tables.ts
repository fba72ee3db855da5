/** What the kernel was last brought to hold, what it said of it since, and what a reading of all of it means. */
import type { ElementPlan, PlanChange } from './element-plan.ts';
import type { FirewallReading } from './firewall.ts';
import type { Guard } from './guard.ts';
import { elementsIn } from './nft-batch.ts';
import type { TableFamily } from './nft-expression.ts';
import { guardText } from './nft-guard.ts';
import {
  findDrift,
  structureDrift,
  sumCounters,
  type ElementReading,
  type Structure,
  type TableReading,
} from './nft-reading.ts';
import type { KernelElement } from './nft-ruleset.ts';

export type Tables = ReadonlyMap<TableFamily, TableReading>;

export interface HeldTables {
  readonly plan: ElementPlan;
  readonly guardText: string;
  /** As read back right after. */
  readonly structures: ReadonlyMap<TableFamily, Structure>;
}

/** What `tables` are where they were read back right after they were brought to the plan. */
export function heldIn(tables: Tables, plan: ElementPlan, guard: Guard): HeldTables {
  const structures = new Map([...tables].map(([family, { structure }]) => [family, structure]));
  return { plan, guardText: guardText(guard), structures };
}

/** What the kernel holds and counts, when all of `tables` was read. */
export function readingOf(tables: Tables, held: HeldTables | undefined, drift: string | null): FirewallReading {
  const counted = packetsIn(tables);
  const elements = [...tables.values()].map((table) => table.elements);
  if (held === undefined) {
    // after a restart the kernel still knows what we do not
    const ids = elements.flatMap((some) => [...some.values()].flatMap(({ decisionId }) => decisionId ?? []));
    return { ...counted, decisionIds: new Set(ids), packetsOf: new Map(), drift: null };
  }
  const isWhole = [...tables].every(([family, { exists, structure }]) => {
    const asked = held.structures.get(family);
    return exists && asked !== undefined && structureDrift(structure, asked) === undefined;
  });
  const decisionIds = new Set<string>();
  const packetsOf = new Map<string, number>();
  for (const [id, { elements: needed }] of held.plan.decisions) {
    if (isWhole && areThere(needed, elements)) decisionIds.add(id);
    const met = packetsMet(needed, elements);
    if (met > 0) packetsOf.set(id, met);
  }
  return { ...counted, decisionIds, packetsOf, drift };
}

/** What a small change makes of the reading before, where all that it was about was looked at. */
export function readingAfter(
  before: FirewallReading,
  change: PlanChange,
  { plan }: HeldTables,
  tables: Tables,
): FirewallReading {
  const elements = [...tables.values()].map((table) => table.elements);
  const decisionIds = new Set(before.decisionIds);
  const packetsOf = new Map(before.packetsOf);
  for (const id of change.dropped) {
    decisionIds.delete(id);
    packetsOf.delete(id);
  }
  for (const { id } of change.fresh)
    if (areThere(plan.decisions.get(id)?.elements ?? [], elements)) decisionIds.add(id);
  return { ...packetsIn(tables), decisionIds, packetsOf, drift: null };
}

/** How the kernel differs from what is held, in the first of the tables that does; null where it does not. */
export function driftOf(tables: Tables, held: HeldTables | undefined, nowMs: number): string | null {
  if (held === undefined) return null;
  for (const [family, table] of tables) {
    const structure = held.structures.get(family);
    if (structure === undefined) return 'there is a bridge now, and no table of ours on it';
    const drift = findDrift(table, elementsIn(family, held.plan), structure, nowMs);
    if (drift !== undefined) return drift;
  }
  return null;
}

function packetsIn(tables: Tables): Pick<FirewallReading, 'packetsDropped' | 'packetsWouldDrop'> {
  const { dropped, wouldDrop } = sumCounters([...tables.values()]);
  return { packetsDropped: dropped, packetsWouldDrop: wouldDrop };
}

type Elements = readonly ReadonlyMap<string, ElementReading>[];

function areThere(needed: readonly KernelElement[], elements: Elements): boolean {
  for (const { key } of needed) if (!isIn(key, elements)) return false;
  return true;
}

function isIn(key: string, elements: Elements): boolean {
  for (const some of elements) if (some.has(key)) return true;
  return false;
}

function packetsMet(needed: readonly KernelElement[], elements: Elements): number {
  let met = 0;
  for (const { key } of needed) for (const some of elements) met += some.get(key)?.packets ?? 0;
  return met;
}
