/**
 * Brings tables of ours that stand in the kernel to what they shall hold by naming only what differs, and reads that
 * back: a small change looks at nothing of the thousands beside it. Whoever finds the kernel other than it was left is
 * told so, and makes all anew (replace-tables.ts).
 */
import type { ElementPlan, PlanChange } from './element-plan.ts';
import { FirewallError } from './firewall.ts';
import type { HeldTables, Tables } from './held-tables.ts';
import type { AskedElements, Kernel } from './kernel.ts';
import { changeBatch, elementsIn, toAsk, type BatchOptions, type TableChange } from './nft-batch.ts';
import type { NftCommand, TableFamily } from './nft-expression.ts';
import { ownGuardChains } from './nft-guard.ts';
import {
  findDrift,
  isSame,
  readTable,
  structureAsked,
  structureDrift,
  type ElementReading,
  type Structure,
} from './nft-reading.ts';
import type { CounterValue } from './nft-set.ts';
import { listTables } from './replace-tables.ts';

export interface ChangeOptions extends BatchOptions {
  readonly families: readonly TableFamily[];
  readonly withGuard: boolean;
  /** As last read. */
  readonly counters: ReadonlyMap<TableFamily, ReadonlyMap<string, CounterValue>>;
  /** As last read, brought up to date here. Where one is missing, all is read. */
  readonly elements: ReadonlyMap<TableFamily, Map<string, ElementReading>>;
  /** The kernel is about to be told of a deletion, which it announces to everybody. */
  readonly onDeletion: () => void;
  readonly now: () => number;
}

export interface ChangedTables {
  readonly tables: Tables;
  /** Only the change was looked at. */
  readonly isPart: boolean;
}

/** Undefined where the kernel is not as `held` says, or does not become what was asked. Throws `FirewallError`. */
export async function changeTables(
  kernel: Kernel,
  held: HeldTables,
  change: PlanChange,
  options: ChangeOptions,
  signal: AbortSignal,
): Promise<ChangedTables | undefined> {
  const changes = new Map<TableFamily, TableChange>();
  for (const family of options.families) {
    const counters = options.counters.get(family) ?? new Map<string, CounterValue>();
    changes.set(family, changeBatch(family, held.plan.sets, change, { ...options, counters }));
  }
  const commands = [...changes.values()].flatMap((some) => some.commands);
  if (change.gone.length > 0 || [...changes.values()].some((some) => some.withRules)) options.onDeletion();
  if (commands.length > 0 && !(await tryApply(kernel, commands, signal))) return undefined;
  if (!options.withGuard && options.families.every((family) => options.elements.has(family))) {
    const looked = await lookAt(kernel, held, changes, options, signal);
    if (looked !== undefined) return { tables: looked, isPart: true };
  }
  const tables = await listTables(kernel, options.families, signal);
  for (const [family, table] of tables) {
    const { structures, plan } = held;
    const structure = expectedAfter(structures.get(family)!, table.structure, changes.get(family)!, options.withGuard);
    if (structure === undefined) return undefined;
    if (findDrift(table, elementsAfter(family, plan, change), structure, options.now()) !== undefined) return undefined;
  }
  return { tables, isPart: false };
}

/** Undefined where it is not as asked for. What was read before stands for what the change was not about. */
async function lookAt(
  kernel: Kernel,
  held: HeldTables,
  changes: ReadonlyMap<TableFamily, TableChange>,
  options: ChangeOptions,
  signal: AbortSignal,
): Promise<Tables | undefined> {
  const looked = await Promise.all(
    [...changes].map(async ([family, change]) => {
      const replaced = new Set(change.gone.length === 0 ? [] : change.added.map(({ key }) => key));
      const lifted = change.gone.filter(({ key }) => !replaced.has(key));
      const left = lifted.filter(({ set }) => !change.go.includes(set)); // the others went with their set
      const asked: AskedElements = { present: toAsk(change.added), absent: toAsk(left) };
      const outline = await kernel.outline(family, signal, asked);
      if (outline === undefined) return undefined;
      const { structure, counters, exists } = readTable(outline, true);
      const expected = expectedAfter(held.structures.get(family)!, structure, change, false);
      if (!exists || expected === undefined || structureDrift(structure, expected) !== undefined) return undefined;
      const elements = options.elements.get(family)!;
      for (const { key } of lifted) elements.delete(key);
      for (const { key, decisionId } of change.added) elements.set(key, { decisionId, packets: 0 });
      const guardElements = held.structures.get(family)?.guardElements ?? null;
      return [family, { exists, elements, counters, structure: { ...structure, guardElements } }] as const;
    }),
  );
  return looked.includes(undefined) ? undefined : new Map(looked.filter((one) => one !== undefined));
}

async function tryApply(kernel: Kernel, batch: readonly NftCommand[], signal: AbortSignal): Promise<boolean> {
  try {
    await kernel.apply(batch, signal);
    return true;
  } catch (error) {
    if (error instanceof FirewallError && error.code === 'refused') return false;
    throw error;
  }
}

/** What the structure must be after a change, told by what it was and what it is; undefined where it is something else. */
function expectedAfter(
  before: Structure,
  found: Structure,
  { commands, withRules, come, go }: TableChange,
  withGuard: boolean,
): Structure | undefined {
  if (!withRules) return before;
  const asked = structureAsked(commands);
  const stayed = before.decisions.filter((entry) => !isRule(entry) && !isNamed(entry, go));
  const others = found.decisions.filter((entry) => !isRule(entry) && !isNamed(entry, come));
  if (!isSame(others, stayed) || found.decisions.length !== stayed.length + asked.decisions) return undefined;
  if (!withGuard) {
    const guard = [...come, ...go].includes('input')
      ? guardAfter(before.guard, found.guard, asked.guard)
      : before.guard;
    return guard === undefined ? undefined : { ...before, decisions: found.decisions, guard };
  }
  return found.guard.filter(isRule).length === asked.guard ? found : undefined;
}

/** With the hooks come, and go, so many rules for the gateway's own conversations; undefined where it is otherwise. */
function guardAfter(before: readonly string[], found: readonly string[], asked: number): readonly string[] | undefined {
  const isOwn = (entry: string): boolean =>
    isRule(entry) && ownGuardChains.some((chain) => entry.includes(`"chain":"${chain}"`));
  const areOthersSame = isSame(
    found.filter((entry) => !isOwn(entry)),
    before.filter((entry) => !isOwn(entry)),
  );
  return areOthersSame && found.filter(isOwn).length === asked ? found : undefined;
}

function isRule(entry: string): boolean {
  return entry.includes('"expr"');
}

/** A set or chain with one of these names. */
function isNamed(entry: string, names: readonly string[]): boolean {
  return names.some((name) => entry.includes(`"name":"${name}"`));
}

/** The elements of one table as they shall be after the change. */
function elementsAfter(family: TableFamily, plan: ElementPlan, change: PlanChange): ReturnType<typeof elementsIn> {
  const elements = new Map(plan.elements);
  for (const { key } of change.gone) elements.delete(key);
  for (const element of change.added) elements.set(element.key, element);
  const sets = new Map([...plan.sets, ...change.newSets.map((set) => [set.name, set] as const)]);
  return elementsIn(family, { sets, elements });
}
