/**
 * The restrictions we hold in the kernel, in tables of our own. nftables expires set elements itself, so an agent
 * that died never leaves a host cut off: that is why they carry a timeout and there is no clean-up job, and why
 * closing this firewall leaves the kernel as it is.
 */
import type { Decision } from '@picket/shared/contract/decision';
import { readBridges } from './bridges.ts';
import { connectionCuts } from './cut-connections.ts';
import { FirewallError, type Firewall, type FirewallReading } from './firewall.ts';
import { addressesToCut, type Guard } from './guard.ts';
import type { Kernel } from './kernel.ts';
import { changeBatch, dropTable, elementValue, fullBatch, keysIn, type Change } from './nft-batch.ts';
import type { NftCommand, TableFamily } from './nft-expression.ts';
import { guardText } from './nft-guard.ts';
import { NftKernel, type NftKernelOptions } from './nft-kernel.ts';
import {
  findDrift,
  isSame,
  noTable,
  readTable,
  structureAsked,
  structureDrift,
  sumCounters,
  type ElementReading,
  type Structure,
  type TableReading,
} from './nft-reading.ts';
import { elementKey, planRuleset, type KernelElement, type PlanMemory, type Ruleset } from './nft-ruleset.ts';
import type { CounterValue, RateLimit } from './nft-set.ts';

export interface NftablesFirewallOptions extends NftKernelOptions {
  /** Default: `nft` and `conntrack`, run by this process. */
  readonly kernel?: Kernel;
  /** What a rate-limited host or target may still do. */
  readonly rateLimit?: RateLimit;
  /** Addresses that a device's MAC is known by. */
  readonly addressesOf?: (mac: string) => readonly string[];
  /** Whether this gateway carries frames between ports of a bridge. Default: as the system says now. */
  readonly isBridge?: () => boolean;
  readonly onWarning?: (text: string) => void;
  /** What the decisions' ends go by, in milliseconds since 1970. Default: the wall clock. */
  readonly now?: () => number;
}

type Tables = ReadonlyMap<TableFamily, TableReading>;

/** What we last brought the kernel to. */
interface Held {
  readonly ruleset: Ruleset;
  readonly guardText: string;
  /** As read back right after. */
  readonly structures: ReadonlyMap<TableFamily, Structure>;
  readonly decisionIds: ReadonlySet<string>;
}

/** So many elements of a change are looked at one by one; for more, all is read. */
const maxLookedAt = 64;
/** So long after a deletion of ours the kernel's announcement of one is taken for it. */
const ownDeletionMs = 2000;
/** Deletions of running connections at a time; beyond it the drop rules alone do. */
const maxCuts = 256;

export class NftablesFirewall implements Firewall {
  readonly #kernel: Kernel;
  readonly #rateLimit: RateLimit;
  readonly #addressesOf: (mac: string) => readonly string[];
  readonly #isBridge: () => boolean;
  readonly #onWarning: (text: string) => void;
  readonly #now: () => number;
  /** Found out by trying: not every kernel has tables of this family. */
  #bridgeRefused = false;
  #held: Held | undefined;
  /** As last read, to go on from when the table is made anew. */
  #counters = new Map<TableFamily, ReadonlyMap<string, CounterValue>>();
  /** Elements as last read, and as looked at since. */
  readonly #lastRead = new Map<TableFamily, Map<string, ElementReading>>();
  /** Of the last full reading; while there is some, no change is small. */
  #foundDrift: string | null = null;
  #deletedAtMs = Number.NEGATIVE_INFINITY;
  readonly #planned: PlanMemory = new Map();
  #queue: Promise<unknown> = Promise.resolve();
  #cuts: Promise<void> = Promise.resolve();
  readonly #closed = new AbortController();

  private constructor(options: NftablesFirewallOptions) {
    this.#kernel = options.kernel ?? new NftKernel(options);
    this.#rateLimit = options.rateLimit ?? { packetsPerSecond: 50, burstPackets: 100 };
    this.#addressesOf = options.addressesOf ?? (() => []);
    this.#isBridge = options.isBridge ?? (() => readBridges().length > 0);
    this.#onWarning = options.onWarning ?? (() => {});
    this.#now = options.now ?? Date.now;
  }

  /** Asks the kernel nothing yet: where nft is missing, each call of `hold` and `read` says so. */
  static create(options: NftablesFirewallOptions): NftablesFirewall {
    return new NftablesFirewall(options);
  }

  hold(decisions: readonly Decision[], guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    return this.#inTurn(() => this.#hold(decisions, guard, signal));
  }

  read(signal: AbortSignal): Promise<FirewallReading> {
    return this.#inTurn(async () => {
      const families = this.#families();
      const tables = await this.#list(families, signal);
      this.#foundDrift = this.#drift(tables, families);
      return this.#reading(tables, families, this.#foundDrift);
    });
  }

  /**
   * The kernel announces our own deletions like those of others. Right after one of ours a look at tables, chains and
   * rules has to do; an element that somebody deletes in that moment is missed until all is read again.
   */
  watch(onChanged: () => void): AsyncDisposable {
    return this.#kernel.watch(() => {
      if (performance.now() - this.#deletedAtMs > ownDeletionMs) onChanged();
      else void this.#isOutlineWhole().then((isWhole) => (isWhole ? undefined : onChanged()));
    });
  }

  clear(signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      for (const family of ['inet', 'bridge'] as const) {
        if ((await this.#kernel.list(family, signal)) !== undefined)
          await this.#kernel.apply(dropTable(family), signal);
      }
      this.#held = undefined;
      this.#counters.clear();
      this.#lastRead.clear();
      this.#planned.clear();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    this.#closed.abort();
    await this.#cuts;
  }

  #families(): readonly TableFamily[] {
    return this.#isBridge() && !this.#bridgeRefused ? ['inet', 'bridge'] : ['inet'];
  }

  async #hold(decisions: readonly Decision[], guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    const nowMs = this.#now();
    const addressesOf = (mac: string): readonly string[] => addressesToCut(this.#addressesOf(mac), guard);
    const families = this.#families();
    const isBridge = families.includes('bridge');
    const ruleset = planRuleset(decisions, { nowMs, addressesOf, isBridge, memory: this.#planned });
    const known = this.#held?.decisionIds ?? new Set();
    const changed = await this.#change(ruleset, guard, families, nowMs, signal);
    const tables = changed ?? (await this.#replace(ruleset, guard, families, nowMs, signal));
    this.#foundDrift = null;
    // sets that are empty now stay until all is made anew
    const olderSets = changed === undefined ? [] : (this.#held?.ruleset.sets ?? []);
    this.#held = {
      ruleset: { ...ruleset, sets: new Map([...olderSets, ...ruleset.sets]) },
      guardText: guardText(guard),
      structures: new Map(
        [...tables].map(([family, { structure }]) => [
          family,
          { ...structure, guardElements: structure.guardElements ?? this.#guardElements(family) },
        ]),
      ),
      decisionIds: new Set(ruleset.elementsOf.keys()),
    };
    this.#cut(
      decisions.filter(({ id }) => !known.has(id)).flatMap((decision) => connectionCuts(decision, guard, addressesOf)),
    );
    return this.#reading(tables, families, null); // it was compared just now
  }

  /** Only what differs from what is held; undefined where the kernel is not as we left it. */
  async #change(
    ruleset: Ruleset,
    guard: Guard,
    families: readonly TableFamily[],
    nowMs: number,
    signal: AbortSignal,
  ): Promise<Tables | undefined> {
    const held = this.#held;
    if (held === undefined || !isSame([...held.structures.keys()], families)) return undefined;
    const withGuard = held.guardText !== guardText(guard);
    const changes = new Map<TableFamily, Change>();
    for (const family of families) {
      const counters = this.#counters.get(family) ?? new Map();
      const options = { guard, rateLimit: this.#rateLimit, nowMs, withGuard, counters };
      changes.set(family, changeBatch(family, held.ruleset, ruleset, options));
    }
    const commands = [...changes.values()].flatMap((change) => change.commands);
    if ([...changes.values()].some(({ gone }) => gone.length > 0)) this.#deletedAtMs = performance.now();
    if (commands.length > 0 && !(await this.#tryApply(commands, signal))) return undefined;
    const looked = withGuard || this.#foundDrift !== null ? undefined : await this.#lookAt(changes, held, signal);
    if (looked !== undefined) return looked;
    const tables = await this.#list(families, signal);
    for (const [family, table] of tables) {
      const structure = expectedAfter(held.structures.get(family)!, table.structure, changes.get(family)!, withGuard);
      if (structure === undefined) return undefined;
      const expected = { elements: ruleset.elements, keys: keysIn(family, ruleset) };
      if (findDrift(table, expected, structure, this.#now()) !== undefined) return undefined;
    }
    return tables;
  }

  /**
   * Reads back what a small change was about, and nothing of the thousands beside it; undefined where that is not as
   * asked for, or the change is not small. What was read before stands for the rest.
   */
  async #lookAt(
    changes: ReadonlyMap<TableFamily, Change>,
    held: Held,
    signal: AbortSignal,
  ): Promise<Tables | undefined> {
    const tables = new Map<TableFamily, TableReading>();
    for (const [family, change] of changes) {
      const { added, gone } = change;
      const before = this.#lastRead.get(family);
      if (before === undefined || added.length + gone.length > maxLookedAt) return undefined;
      const replaced = new Set(added.map(({ set, parts }) => elementKey(set, parts)));
      const lifted = gone.filter(({ set, parts }) => !replaced.has(elementKey(set, parts)));
      const ask = (elements: readonly KernelElement[]): Promise<number> =>
        this.#kernel.countHeld(
          family,
          elements.map((element) => ({ set: element.set, value: elementValue(element) })),
          signal,
        );
      const [outline, present, left] = await Promise.all([
        this.#kernel.outline(family, signal),
        ask(added),
        ask(lifted),
      ]);
      const { structure, counters, exists } = readTable(outline, true);
      const expected = expectedAfter(held.structures.get(family)!, structure, change, false);
      if (!exists || present !== added.length || left > 0 || expected === undefined) return undefined;
      if (structureDrift(structure, expected) !== undefined) return undefined;
      for (const { set, parts } of lifted) before.delete(elementKey(set, parts));
      for (const { set, parts, decisionId } of added) before.set(elementKey(set, parts), { decisionId, packets: 0 });
      tables.set(family, { exists, elements: before, counters, structure });
    }
    return tables;
  }

  #guardElements(family: TableFamily): string | null {
    return this.#held?.structures.get(family)?.guardElements ?? null;
  }

  #isOutlineWhole(): Promise<boolean> {
    return this.#inTurn(async () => {
      for (const [family, structure] of this.#held?.structures ?? []) {
        const found = readTable(await this.#kernel.outline(family, this.#closed.signal), true);
        if (!found.exists || structureDrift(found.structure, structure) !== undefined) return false;
      }
      return true;
    }).catch(() => false);
  }

  /** All tables anew, whatever stands there. */
  async #replace(
    ruleset: Ruleset,
    guard: Guard,
    families: readonly TableFamily[],
    nowMs: number,
    signal: AbortSignal,
  ): Promise<Tables> {
    for (const [family, { exists, counters }] of await this.#list(families, signal)) {
      if (exists) this.#counters.set(family, counters);
    }
    const batches = new Map<TableFamily, readonly NftCommand[]>();
    for (const family of families) {
      const counters = this.#counters.get(family) ?? new Map<string, CounterValue>();
      batches.set(family, fullBatch(family, ruleset, { guard, counters, rateLimit: this.#rateLimit, nowMs }));
    }
    try {
      await this.#kernel.apply([...batches.values()].flat(), signal);
    } catch (error) {
      if (!families.includes('bridge') || !(error instanceof FirewallError) || error.code !== 'refused') throw error;
      await this.#kernel.apply(batches.get('inet')!, signal);
      this.#bridgeRefused = true;
      this.#onWarning(`what bridges carry from port to port is not restricted: ${error.message}`);
      return this.#replace(ruleset, guard, this.#families(), nowMs, signal);
    }
    const tables = await this.#list(families, signal);
    for (const [family, table] of tables) {
      const asked = structureAsked(batches.get(family)!);
      const drift =
        table.structure.guard.length !== asked.guard || table.structure.decisions.length !== asked.decisions
          ? 'not all sets, chains and rules are there'
          : findDrift(table, { ...ruleset, keys: keysIn(family, ruleset) }, table.structure, this.#now());
      if (drift !== undefined) {
        throw new FirewallError('not-verified', `the kernel took the rules but does not hold them: ${drift}`);
      }
    }
    return tables;
  }

  #reading(tables: Tables, families: readonly TableFamily[], drift: string | null): FirewallReading {
    for (const [family, { exists, counters }] of tables) if (exists) this.#counters.set(family, counters);
    const { dropped, wouldDrop } = sumCounters([...tables.values()]);
    const packets = { packetsDropped: dropped, packetsWouldDrop: wouldDrop };
    const decisionIds = new Set<string>();
    const packetsOf = new Map<string, number>();
    if (this.#held === undefined) {
      // after a restart the kernel still knows what we do not
      for (const { elements } of tables.values())
        for (const { decisionId } of elements.values()) if (decisionId !== undefined) decisionIds.add(decisionId);
      return { ...packets, decisionIds, packetsOf, drift: null };
    }
    const { ruleset, structures } = this.#held;
    const isWhole = families.every((family) => {
      const structure = structures.get(family);
      const table = tables.get(family)!;
      return table.exists && structure !== undefined && structureDrift(table.structure, structure) === undefined;
    });
    const held = [...tables.values()].map(({ elements }) => elements);
    for (const [id, keys] of ruleset.elementsOf) {
      let met = 0;
      let there = 0;
      for (const key of keys) {
        let isThere = false;
        for (const elements of held) {
          const element = elements.get(key);
          if (element === undefined) continue;
          isThere = true;
          met += element.packets;
        }
        if (isThere) there += 1;
      }
      if (isWhole && there === keys.length) decisionIds.add(id);
      if (met > 0) packetsOf.set(id, met);
    }
    return { ...packets, decisionIds, packetsOf, drift };
  }

  /** How the kernel differs from what is held, in the first of the tables that does. */
  #drift(tables: Tables, families: readonly TableFamily[]): string | null {
    if (this.#held === undefined) return null;
    const { ruleset, structures } = this.#held;
    for (const family of families) {
      const structure = structures.get(family);
      if (structure === undefined) return 'there is a bridge now, and no table of ours on it';
      const expected = { ...ruleset, keys: keysIn(family, ruleset) };
      const drift = findDrift(tables.get(family)!, expected, structure, this.#now());
      if (drift !== undefined) return drift;
    }
    return null;
  }

  async #list(families: readonly TableFamily[], signal: AbortSignal): Promise<Tables> {
    return new Map(
      await Promise.all(
        families.map(async (family) => {
          const listing = await this.#kernel.list(family, signal);
          const table = listing === undefined ? noTable : readTable(listing);
          this.#lastRead.set(family, new Map(table.elements));
          return [family, table] as const;
        }),
      ),
    );
  }

  async #tryApply(batch: readonly NftCommand[], signal: AbortSignal): Promise<boolean> {
    try {
      await this.#kernel.apply(batch, signal);
      return true;
    } catch (error) {
      if (error instanceof FirewallError && error.code === 'refused') return false;
      throw error;
    }
  }

  /** Nobody waits for it: what is cut is dropped already. */
  #cut(connections: readonly (readonly string[])[]): void {
    if (connections.length === 0) return;
    if (connections.length > maxCuts) {
      this.#onWarning(
        `${connections.length - maxCuts} deletions of running connections are left out: their packets are dropped all the same`,
      );
    }
    this.#cuts = this.#cuts.then(() => this.#kernel.forget(connections.slice(0, maxCuts), this.#closed.signal));
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** What the structure must be after a change, told by what it was and what it is; undefined where it is something else. */
function expectedAfter(
  before: Structure,
  found: Structure,
  { commands, newSets }: Change,
  withGuard: boolean,
): Structure | undefined {
  const asked = structureAsked(commands);
  const names = newSets.flatMap(({ name }) => [`"name":"${name}"`, `"@${name}"`]);
  const isNew = (entry: string): boolean => names.some((name) => entry.includes(name));
  const added = found.decisions.filter(isNew);
  if (added.length !== asked.decisions) return undefined;
  if (
    !isSame(
      found.decisions.filter((entry) => !isNew(entry)),
      before.decisions,
    )
  )
    return undefined;
  const expected = { decisions: found.decisions, guardElements: found.guardElements };
  if (!withGuard) return { ...expected, guard: before.guard, guardElements: before.guardElements };
  const rules = found.guard.filter((entry) => entry.includes('"expr"'));
  return rules.length === asked.guard ? { ...expected, guard: found.guard } : undefined;
}
