/**
 * A ruleset as libnftables JSON for our private tables. `inet picket` sees what is routed and what the gateway itself says and hears;
 * `bridge picket` sees the frames that a bridge of the gateway carries on, which no chain of inet need see. Pure. Only
 * our own tables are ever named.
 */
import type { Guard } from './guard.ts';
import type { SetElements } from './kernel.ts';
import { inTable, tableName, type NftCommand, type TableFamily } from './nft-expression.ts';
import { emptyGuardChains, emptyOwnGuard, guardChains, guardRules, guardSets, ownGuardRules } from './nft-guard.ts';
import { addHook, hooksFor, rulesFor, setChains } from './nft-hooks.ts';
import type { PlanChange } from './element-plan.ts';
import type { KernelElement, Ruleset } from './nft-ruleset.ts';
import { addCounter, addSet, standsIn, type CounterValue, type RateLimit } from './nft-set.ts';

export interface BatchOptions {
  readonly guard: Guard;
  readonly rateLimit: RateLimit;
  readonly nowMs: number;
}

/** From here on a change is a large one: what serves thousands of elements costs more than it saves with fewer. */
export const manyElements = 1000;

/** The whole table of one family, in place of whatever stood there under its name. `counters` go on from there. */
export function fullBatch(
  family: TableFamily,
  ruleset: Ruleset,
  options: BatchOptions & { readonly counters: ReadonlyMap<string, CounterValue> },
): readonly NftCommand[] {
  const sets = [...ruleset.sets.values()].filter((set) => standsIn(set, family));
  const elements = bySet(family, ruleset.sets, [...ruleset.elements.values()]);
  const large = new Set(elements.filter(([, members]) => members.length >= manyElements).map(([name]) => name));
  const counters = new Set([...options.counters.keys(), ...sets.map(({ name }) => name)]);
  return [
    ...dropTable(family),
    { add: { table: { family, name: tableName } } },
    ...[...counters].map((name) => addCounter(family, name, options.counters.get(name))),
    ...guardSets(family),
    ...[...guardChains(family), ...setChains].map((name) => ({ add: { chain: { ...inTable(family), name } } })),
    ...hooksFor(family, sets).map((hook) => addHook(family, hook)),
    ...guardRules(family, options.guard),
    ...(sets.length > 0 ? ownGuardRules(family, options.guard) : []),
    ...sets.map((set) => addSet(family, set, options.rateLimit, large.has(set.name))),
    ...rulesFor(family, sets, options.guard),
    ...addElements(family, elements, options.nowMs),
  ];
}

/** What a change is in the table of one family. */
export interface TableChange extends Pick<PlanChange, 'added' | 'gone'> {
  readonly commands: readonly NftCommand[];
  /** All rules but those of the guard are made anew. */
  readonly withRules: boolean;
  /** Names of sets and hooks that come, and of those that go. */
  readonly come: readonly string[];
  readonly go: readonly string[];
}

/** Only what differs from the `sets` and elements that are there, and the guard where it is to be put in anew. */
export function changeBatch(
  family: TableFamily,
  sets: Ruleset['sets'],
  change: Pick<PlanChange, 'newSets' | 'emptied' | 'added' | 'gone'>,
  options: BatchOptions & { readonly withGuard: boolean; readonly counters: ReadonlyMap<string, CounterValue> },
): TableChange {
  const known = new Map([...sets, ...change.newSets.map((set) => [set.name, set] as const)]);
  const isHere = ({ set }: KernelElement): boolean => standsIn(known.get(set)!, family);
  const emptied = new Set(change.emptied);
  const before = [...sets.values()].filter((set) => standsIn(set, family));
  const after = [...known.values()].filter((set) => standsIn(set, family) && !emptied.has(set.name));
  const newSets = after.filter(({ name }) => !sets.has(name));
  const hooks = { before: hooksFor(family, before), after: hooksFor(family, after) };
  const newHooks = hooks.after.filter((hook) => !hooks.before.includes(hook));
  const oldHooks = hooks.before.filter((hook) => !hooks.after.includes(hook));
  const oldSets = before.filter(({ name }) => emptied.has(name)).map(({ name }) => name);
  const withRules = options.withGuard || newSets.length > 0 || oldSets.length > 0;
  const gone = change.gone.filter(isHere);
  const added = change.added.filter(isHere);
  const chain = (name: string): object => ({ chain: { ...inTable(family), name } });
  return {
    added,
    gone,
    withRules,
    come: [...newSets.map(({ name }) => name), ...newHooks],
    go: [...oldSets, ...oldHooks],
    commands: [
      ...(withRules ? [...setChains, ...hooks.before].map((name) => ({ flush: chain(name) })) : []),
      ...oldHooks.map((name) => ({ delete: chain(name) })),
      ...oldSets.map((name) => ({ delete: { set: { ...inTable(family), name } } })),
      ...(options.withGuard ? [...emptyGuardChains(family), ...guardRules(family, options.guard)] : []),
      ...(after.length > 0 && (before.length === 0 || options.withGuard) ? ownGuardRules(family, options.guard) : []),
      ...(after.length === 0 && before.length > 0 ? emptyOwnGuard(family) : []),
      ...newSets.flatMap((set) => [
        ...(options.counters.has(set.name) ? [] : [addCounter(family, set.name, undefined)]),
        addSet(family, set, options.rateLimit),
      ]),
      ...newHooks.map((hook) => addHook(family, hook)),
      ...(withRules ? rulesFor(family, after, options.guard) : []),
      ...bySet(family, known, gone)
        .filter(([name]) => !emptied.has(name))
        .map(([name, elements]) => ({
          delete: { element: { ...inTable(family), name, elem: elements.map(elementValue) } },
        })),
      ...addElements(family, bySet(family, known, added), options.nowMs),
    ],
  };
}

/** Works whether the table is there or not. */
export function dropTable(family: TableFamily): readonly NftCommand[] {
  return [{ add: { table: { family, name: tableName } } }, { delete: { table: { family, name: tableName } } }];
}

/** The elements of the ruleset that this table holds, by key. */
export function elementsIn(family: TableFamily, { sets, elements }: Ruleset): Ruleset['elements'] {
  const isElsewhere = ({ set }: KernelElement): boolean => !standsIn(sets.get(set)!, family);
  if (![...sets.values()].some((set) => !standsIn(set, family))) return elements;
  return new Map([...elements].filter(([, element]) => !isElsewhere(element)));
}

function addElements(family: TableFamily, elements: ReturnType<typeof bySet>, nowMs: number): readonly NftCommand[] {
  return elements.map(([name, members]) => ({
    add: {
      element: {
        ...inTable(family),
        name,
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

function bySet(
  family: TableFamily,
  sets: Ruleset['sets'],
  elements: readonly KernelElement[],
): readonly (readonly [string, readonly KernelElement[]])[] {
  return [...Map.groupBy(elements, ({ set }) => set)].filter(([name]) => standsIn(sets.get(name)!, family));
}

/** The elements as the kernel is asked for them, set by set. */
export function toAsk(elements: Iterable<KernelElement>): readonly SetElements[] {
  return Array.from(
    Map.groupBy(elements, ({ set }) => set),
    ([set, members]) => ({ set, values: members.map(elementValue) }),
  );
}

function elementValue({ parts }: KernelElement): unknown {
  return parts.length === 1 ? parts[0] : { concat: parts };
}
