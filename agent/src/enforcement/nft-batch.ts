/**
 * A ruleset as libnftables JSON for our private tables: the guard's chains first, then what is only counted, then the
 * decisions, ahead of the usual filter. `inet picket` sees what is routed and what the gateway itself says and hears;
 * `bridge picket` sees the frames that a bridge of the gateway carries on, which no chain of inet need see. Pure. Only
 * our own tables are ever named.
 */
import type { Guard } from './guard.ts';
import type { SetElements } from './kernel.ts';
import { inTable, rule, tableName, type NftCommand, type TableFamily } from './nft-expression.ts';
import { emptyGuardChains, guardChains, guardRules, guardSets } from './nft-guard.ts';
import type { PlanChange } from './element-plan.ts';
import type { KernelElement, Ruleset } from './nft-ruleset.ts';
import {
  addCounter,
  addSet,
  inOrder,
  newSetRules,
  setRules,
  standsIn,
  type CounterValue,
  type RateLimit,
} from './nft-set.ts';

/** Ahead of `filter` of the family, so that no other table's `ct state established accept` lets a blocked host through. */
const priority = { inet: -10, bridge: -210 } as const;
const hooks = { inet: ['input', 'output', 'forward'], bridge: ['forward'] } as const;

export interface BatchOptions {
  readonly guard: Guard;
  readonly rateLimit: RateLimit;
  readonly nowMs: number;
}

/** The whole table of one family, in place of whatever stood there under its name. `counters` go on from there. */
export function fullBatch(
  family: TableFamily,
  ruleset: Ruleset,
  options: BatchOptions & { readonly counters: ReadonlyMap<string, CounterValue> },
): readonly NftCommand[] {
  const sets = inOrder([...ruleset.sets.values()].filter((set) => standsIn(set, family)));
  const counters = new Set([...options.counters.keys(), ...sets.map(({ name }) => name)]);
  const chain = (name: string, base: object = {}): NftCommand => ({
    add: { chain: { ...inTable(family), name, ...base } },
  });
  return [
    ...dropTable(family),
    { add: { table: { family, name: tableName } } },
    ...[...counters].map((name) => addCounter(family, name, options.counters.get(name))),
    ...guardSets(family),
    ...[...guardChains(family), 'simulated', 'decisions'].map((name) => chain(name)),
    ...hooks[family].map((hook) => chain(hook, { type: 'filter', hook, prio: priority[family], policy: 'accept' })),
    ...guardRules(family, options.guard),
    ...sets.flatMap((set) => [addSet(family, set, options.rateLimit), ...setRules(family, set)]),
    ...hooks[family].flatMap((hook) =>
      [`guard_${hook}`, 'simulated', 'decisions'].map((target) => rule(family, hook, [{ jump: { target } }])),
    ),
    ...addElements(family, ruleset.sets, [...ruleset.elements.values()], options.nowMs),
  ];
}

/** What a change is in the table of one family. */
export interface TableChange extends Pick<PlanChange, 'newSets' | 'added' | 'gone'> {
  readonly commands: readonly NftCommand[];
}

/** Only what differs from the `sets` and elements that are there, and the guard where it is to be put in anew. */
export function changeBatch(
  family: TableFamily,
  sets: Ruleset['sets'],
  change: Pick<PlanChange, 'newSets' | 'added' | 'gone'>,
  options: BatchOptions & { readonly withGuard: boolean; readonly counters: ReadonlyMap<string, CounterValue> },
): TableChange {
  const newSets = inOrder(change.newSets.filter((set) => standsIn(set, family)));
  const known = new Map([...sets, ...change.newSets.map((set) => [set.name, set] as const)]);
  const isHere = ({ set }: KernelElement): boolean => standsIn(known.get(set)!, family);
  const gone = change.gone.filter(isHere);
  const added = change.added.filter(isHere);
  return {
    newSets,
    added,
    gone,
    commands: [
      ...(options.withGuard ? [...emptyGuardChains(family), ...guardRules(family, options.guard)] : []),
      ...newSets.flatMap((set) => [
        ...(options.counters.has(set.name) ? [] : [addCounter(family, set.name, undefined)]),
        addSet(family, set, options.rateLimit),
        ...newSetRules(family, set),
      ]),
      ...bySet(family, known, gone).map(([name, elements]) => ({
        delete: { element: { ...inTable(family), name, elem: elements.map(elementValue) } },
      })),
      ...addElements(family, known, added, options.nowMs),
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

function addElements(
  family: TableFamily,
  sets: Ruleset['sets'],
  elements: readonly KernelElement[],
  nowMs: number,
): readonly NftCommand[] {
  return bySet(family, sets, elements).map(([name, members]) => ({
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
