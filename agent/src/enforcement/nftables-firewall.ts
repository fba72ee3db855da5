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
import { changeBatch, dropTable, fullBatch, keysIn, type Change } from './nft-batch.ts';
import type { NftCommand, TableFamily } from './nft-expression.ts';
import { guardText } from './nft-guard.ts';
import { NftKernel, type NftKernelOptions } from './nft-kernel.ts';
import {
  findDrift,
  isSame,
  noTable,
  readTable,
  structureAsked,
  sumCounters,
  type Structure,
  type TableReading,
} from './nft-reading.ts';
import { planRuleset, type Ruleset } from './nft-ruleset.ts';
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
      return this.#reading(await this.#list(families, signal), families);
    });
  }

  watch(onChanged: () => void): AsyncDisposable {
    return this.#kernel.watch(onChanged);
  }

  clear(signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      for (const family of ['inet', 'bridge'] as const) {
        if ((await this.#kernel.list(family, signal)) !== undefined)
          await this.#kernel.apply(dropTable(family), signal);
      }
      this.#held = undefined;
      this.#counters.clear();
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
    const ruleset = planRuleset(decisions, { nowMs, addressesOf, isBridge: families.includes('bridge') });
    const known = this.#held?.decisionIds ?? new Set();
    const tables =
      (await this.#change(ruleset, guard, families, nowMs, signal)) ??
      (await this.#replace(ruleset, guard, families, nowMs, signal));
    this.#held = {
      ruleset: { ...ruleset, sets: new Map([...(this.#held?.ruleset.sets ?? []), ...ruleset.sets]) },
      guardText: guardText(guard),
      structures: new Map([...tables].map(([family, { structure }]) => [family, structure])),
      decisionIds: new Set(ruleset.elementsOf.keys()),
    };
    this.#cut(
      decisions.filter(({ id }) => !known.has(id)).flatMap((decision) => connectionCuts(decision, guard, addressesOf)),
    );
    return this.#reading(tables, families);
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
    if (commands.length > 0 && !(await this.#tryApply(commands, signal))) return undefined;
    const tables = await this.#list(families, signal);
    for (const [family, table] of tables) {
      const structure = expectedAfter(held.structures.get(family)!, table.structure, changes.get(family)!, withGuard);
      if (structure === undefined) return undefined;
      const expected = { elements: ruleset.elements, keys: keysIn(family, ruleset) };
      if (findDrift(table, expected, structure, this.#now()) !== undefined) return undefined;
    }
    return tables;
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

  #reading(tables: Tables, families: readonly TableFamily[]): FirewallReading {
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
    const nowMs = this.#now();
    const drifts = families.flatMap((family) => {
      const structure = structures.get(family);
      if (structure === undefined) return [`there is a bridge now, and no table of ours on it`];
      return findDrift(tables.get(family)!, { ...ruleset, keys: keysIn(family, ruleset) }, structure, nowMs) ?? [];
    });
    const isWhole = families.every((family) => {
      const [table, structure] = [tables.get(family)!, structures.get(family)];
      return (
        table.exists &&
        structure !== undefined &&
        isSame(table.structure.guard, structure.guard) &&
        isSame(table.structure.decisions, structure.decisions)
      );
    });
    for (const [id, keys] of ruleset.elementsOf) {
      if (isWhole && keys.every((key) => [...tables.values()].some(({ elements }) => elements.has(key)))) {
        decisionIds.add(id);
      }
      let met = 0;
      for (const { elements } of tables.values()) for (const key of keys) met += elements.get(key)?.packets ?? 0;
      if (met > 0) packetsOf.set(id, met);
    }
    return { ...packets, decisionIds, packetsOf, drift: drifts[0] ?? null };
  }

  async #list(families: readonly TableFamily[], signal: AbortSignal): Promise<Tables> {
    return new Map(
      await Promise.all(
        families.map(async (family) => {
          const listing = await this.#kernel.list(family, signal);
          return [family, listing === undefined ? noTable : readTable(listing)] as const;
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
  if (!withGuard) return { guard: before.guard, decisions: found.decisions };
  const isKept = (entry: string): boolean => !entry.includes('"expr"');
  const rules = found.guard.filter((entry) => !isKept(entry));
  return rules.length === asked.guard ? { guard: found.guard, decisions: found.decisions } : undefined;
}
