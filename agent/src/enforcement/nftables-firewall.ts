/**
 * The restrictions we hold in the kernel, in tables of our own. nftables expires set elements itself, so an agent
 * that died never leaves a host cut off: that is why they carry a timeout and there is no clean-up job, and why
 * closing this firewall leaves the kernel as it is.
 */
import { setImmediate as letOthersRun } from 'node:timers/promises';
import { readBridges } from './bridges.ts';
import { changeTables } from './change-tables.ts';
import { ConnectionCutter } from './cut-connections.ts';
import { ElementPlan, isNoChange, type PlanChange } from './element-plan.ts';
import type { Firewall, FirewallReading, FirewallWatch } from './firewall.ts';
import { addressesToCut, type Guard } from './guard.ts';
import { driftOf, heldIn, readingAfter, readingOf, type HeldTables, type Tables } from './held-tables.ts';
import type { Kernel } from './kernel.ts';
import type { TableFamily } from './nft-expression.ts';
import { manyElements } from './nft-batch.ts';
import { guardText } from './nft-guard.ts';
import { NftKernel, type NftKernelOptions } from './nft-kernel.ts';
import { isSame, type ElementReading } from './nft-reading.ts';
import type { RulesetOptions } from './nft-ruleset.ts';
import type { CounterValue, RateLimit } from './nft-set.ts';
import { dropOwnTables } from './own-tables.ts';
import { listTables, outlineDrift, outlineTables, replaceTables } from './replace-tables.ts';
import type { Restriction } from './restriction.ts';
import { Turns } from './turns.ts';

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

/** So long after a deletion of ours the kernel's announcement of one is taken for it. */
const ownDeletionMs = 2000;

export class NftablesFirewall implements Firewall {
  readonly #kernel: Kernel;
  readonly #rateLimit: RateLimit;
  readonly #addressesOf: (mac: string) => readonly string[];
  readonly #isBridge: () => boolean;
  readonly #onWarning: (text: string) => void;
  readonly #now: () => number;
  readonly #cutter: ConnectionCutter;
  /** Found out by trying: not every kernel has tables of this family. */
  #bridgeRefused = false;
  #held: HeldTables | undefined;
  /** What the kernel said last, its drift included; while there is some, no change is small. */
  #last: FirewallReading | undefined;
  /** As last read, to go on from when the table is made anew. */
  readonly #counters = new Map<TableFamily, ReadonlyMap<string, CounterValue>>();
  /** Counters were read when the tables were found broken, a moment ago: they need not be read again to make them anew. */
  #isCounted = false;
  /** Elements as last read, and as looked at since. */
  readonly #elements = new Map<TableFamily, Map<string, ElementReading>>();
  /** When we last deleted something; infinite while we are at it. */
  #deletedAtMs = Number.NEGATIVE_INFINITY;
  readonly #turns = new Turns();
  readonly #closed = new AbortController();

  private constructor(options: NftablesFirewallOptions) {
    this.#kernel = options.kernel ?? new NftKernel(options);
    this.#rateLimit = options.rateLimit ?? { packetsPerSecond: 50, burstPackets: 100 };
    this.#addressesOf = options.addressesOf ?? (() => []);
    this.#isBridge = options.isBridge ?? (() => readBridges().length > 0);
    this.#onWarning = options.onWarning ?? (() => {});
    this.#now = options.now ?? Date.now;
    this.#cutter = new ConnectionCutter(this.#kernel, this.#closed.signal, this.#onWarning);
  }

  /** Asks the kernel nothing yet: where nft is missing, each call of `hold` and `read` says so. */
  static create(options: NftablesFirewallOptions): NftablesFirewall {
    return new NftablesFirewall(options);
  }

  hold(decisions: readonly Restriction[], guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    return this.#turns.take(async () => {
      try {
        return await this.#hold(decisions, guard, signal);
      } catch (error) {
        this.#last = undefined; // the kernel may hold some of it: what comes next is made anew
        throw error;
      } finally {
        if (this.#deletedAtMs === Number.POSITIVE_INFINITY) this.#deletedAtMs = performance.now();
      }
    });
  }

  /** Where tables, chains or rules are not as they were left, the thousands of elements are not read: none counts then. */
  read(signal: AbortSignal): Promise<FirewallReading> {
    return this.#turns.take(async () => {
      const families = this.#families();
      const broken = await this.#findBroken(signal);
      if (broken !== undefined) {
        this.#last = { ...(this.#last ?? nothingRead), decisionIds: new Set(), drift: broken };
        return this.#last;
      }
      const tables = await listTables(this.#kernel, families, signal);
      this.#remember(tables);
      return (this.#last = readingOf(tables, this.#held, driftOf(tables, this.#held, this.#now())));
    });
  }

  /**
   * The kernel announces our own deletions like those of others. Right after one of ours a look at tables, chains and
   * rules has to do; an element that somebody deletes in that moment is missed until all is read again.
   */
  watch(onChanged: () => void): FirewallWatch {
    let isLookDue = false;
    return this.#kernel.watch(() => {
      if (performance.now() - this.#deletedAtMs > ownDeletionMs) return onChanged();
      // the hooks, rules and sets that go with a last decision are many announcements: a look that has not begun sees them all
      if (isLookDue) return;
      isLookDue = true;
      void this.#isOutlineWhole(() => (isLookDue = false)).then((isWhole) => (isWhole ? undefined : onChanged()));
    });
  }

  /** Where one table cannot be dropped the others are, before this throws. */
  clear(signal: AbortSignal): Promise<void> {
    return this.#turns.take(async () => {
      this.#last = undefined;
      await dropOwnTables(this.#kernel, signal);
      this.#held = undefined;
      this.#counters.clear();
      this.#elements.clear();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turns.idle();
    this.#closed.abort();
    await this.#cutter.idle;
  }

  #families(): readonly TableFamily[] {
    return this.#isBridge() && !this.#bridgeRefused ? ['inet', 'bridge'] : ['inet'];
  }

  async #hold(decisions: readonly Restriction[], guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    const families = this.#families();
    const options: RulesetOptions = {
      nowMs: this.#now(),
      addressesOf: (mac) => addressesToCut(this.#addressesOf(mac), guard),
      isBridge: families.includes('bridge'),
    };
    const before = this.#held;
    const change = (before?.plan ?? new ElementPlan()).compare(decisions, options);
    // asked before the change is made: what was only counted until now cut no connection
    const fresh = change.fresh.filter(({ id }) => before?.plan.enforces(id) !== true);
    const isAsLeft = before !== undefined && this.#isAsLeft(before, families);
    const isAllNew = before === undefined || before.plan.decisions.size === 0;
    // `nft` is half as quick with thousands of elements of new sets in a table that stands as with a table made anew
    const changed =
      isAsLeft && !(isAllNew && change.added.length >= manyElements)
        ? await this.#change(before, change, guard, families, options.nowMs, signal)
        : undefined;
    if (changed === undefined) {
      // while nobody was restricted nothing of ours has counted
      if (!(isAsLeft && isAllNew)) await this.#readCounters(families, signal);
      const plan = planAfter(before?.plan, change, () => ElementPlan.of(decisions, options));
      this.#last = await this.#replace(plan, guard, families, options.nowMs, signal);
    } else {
      this.#last = changed;
    }
    this.#cutter.cut(fresh, guard, options.addressesOf);
    return this.#last;
  }

  /** As far as is known; what is not is made anew, whatever the change. */
  #isAsLeft({ structures }: HeldTables, families: readonly TableFamily[]): boolean {
    return this.#last?.drift === null && isSame([...structures.keys()], families);
  }

  /** Undefined where the kernel is not as we left it. */
  async #change(
    held: HeldTables,
    change: PlanChange,
    guard: Guard,
    families: readonly TableFamily[],
    nowMs: number,
    signal: AbortSignal,
  ): Promise<FirewallReading | undefined> {
    const changed = await changeTables(
      this.#kernel,
      held,
      change,
      {
        guard,
        families,
        nowMs,
        rateLimit: this.#rateLimit,
        withGuard: held.guardText !== guardText(guard),
        counters: this.#counters,
        elements: this.#elements,
        onDeletion: () => (this.#deletedAtMs = Number.POSITIVE_INFINITY),
        now: this.#now,
      },
      signal,
    );
    if (changed === undefined) return undefined;
    const { tables, isPart } = changed;
    held.plan.commit(change);
    this.#remember(tables);
    this.#held = heldIn(tables, held.plan, guard);
    return isPart ? readingAfter(this.#last!, change, this.#held, tables) : readingOf(tables, this.#held, null);
  }

  /** All tables anew, whatever stands there. */
  async #replace(
    plan: ElementPlan,
    guard: Guard,
    families: readonly TableFamily[],
    nowMs: number,
    signal: AbortSignal,
  ): Promise<FirewallReading> {
    this.#deletedAtMs = Number.POSITIVE_INFINITY;
    const options = { guard, families, nowMs, rateLimit: this.#rateLimit, counters: this.#counters, now: this.#now };
    const { tables, bridgeRefusal } = await replaceTables(this.#kernel, plan, options, signal);
    if (bridgeRefusal !== undefined) {
      this.#bridgeRefused = true;
      this.#onWarning(`what bridges carry from port to port is not restricted: ${bridgeRefusal}`);
    }
    this.#remember(tables);
    this.#held = heldIn(tables, plan, guard);
    return readingOf(tables, this.#held, null); // it was compared just now
  }

  async #readCounters(families: readonly TableFamily[], signal: AbortSignal): Promise<void> {
    if (!this.#isCounted) this.#rememberCounters(await outlineTables(this.#kernel, families, signal));
    this.#isCounted = false;
  }

  /** How tables, chains and rules differ from what was left; undefined where they do not, or nothing was. */
  async #findBroken(signal: AbortSignal): Promise<string | undefined> {
    const held = this.#held;
    if (held === undefined) return undefined;
    const outline = await outlineTables(this.#kernel, held.structures.keys(), signal);
    const broken = outlineDrift(outline, held);
    if (broken === undefined) return undefined;
    this.#rememberCounters(outline);
    this.#isCounted = isSame([...outline.keys()], this.#families());
    return broken;
  }

  #remember(tables: Tables): void {
    this.#isCounted = false;
    this.#rememberCounters(tables);
    for (const [family, { elements }] of tables) this.#elements.set(family, elements);
  }

  #rememberCounters(tables: Tables): void {
    for (const [family, { exists, counters }] of tables) if (exists) this.#counters.set(family, counters);
  }

  #isOutlineWhole(onBegun: () => void): Promise<boolean> {
    return this.#turns
      .take(async () => {
        await letOthersRun(); // whoever waits for what was changed has the answer first
        onBegun();
        return (await this.#findBroken(this.#closed.signal)) === undefined;
      })
      .catch(() => false);
  }
}

/** `before` stays as it is: the kernel may refuse. `anew`: the whole plan once more. */
function planAfter(before: ElementPlan | undefined, change: PlanChange, anew: () => ElementPlan): ElementPlan {
  if (before !== undefined && isNoChange(change)) return before;
  if (before !== undefined && before.decisions.size > 0) return anew();
  const plan = new ElementPlan();
  plan.commit(change);
  return plan;
}

const nothingRead: FirewallReading = {
  decisionIds: new Set(),
  packetsOf: new Map(),
  packetsDropped: 0,
  packetsWouldDrop: 0,
  drift: null,
};
