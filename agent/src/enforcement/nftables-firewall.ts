/**
 * The restrictions we hold in the kernel, in a table of our own. nftables expires set elements itself, so an agent
 * that died never leaves a host cut off: that is why they carry a timeout and there is no clean-up job, and why
 * closing this firewall leaves the kernel as it is.
 */
import type { Decision } from '@picket/shared/contract/decision';
import { connectionCuts } from './cut-connections.ts';
import { FirewallError, type Firewall, type FirewallReading } from './firewall.ts';
import type { Guard } from './guard.ts';
import { changeBatch, dropTable, fullBatch, tableName, type NftCommand, type RateLimit } from './nft-batch.ts';
import { findDrift, noTable, readTable, type TableReading } from './nft-reading.ts';
import { planRuleset, type Ruleset } from './nft-ruleset.ts';
import { runProgram, type ProgramResult } from './system-program.ts';

export interface NftablesFirewallOptions {
  /** How the programs are called; something like `ip netns exec NAME nft` to act in another network namespace. */
  readonly nft?: readonly string[];
  readonly conntrack?: readonly string[];
  /** What a rate-limited host or target may still do. */
  readonly rateLimit?: RateLimit;
  /** Addresses that a device's MAC is known by. */
  readonly addressesOf?: (mac: string) => readonly string[];
}

/** What we last brought the kernel to. */
interface Held {
  readonly ruleset: Ruleset;
  readonly guardText: string;
  /** As read back right after. */
  readonly structure: string;
}

/** Deletions of running connections that may wait; beyond it the drop rules alone do. */
const maxCuts = 64;
const emptyRuleset: Ruleset = { sets: new Map(), elements: new Map(), elementsOf: new Map() };

export class NftablesFirewall implements Firewall {
  readonly #nft: readonly string[];
  readonly #conntrack: readonly string[];
  readonly #rateLimit: RateLimit;
  readonly #addressesOf: (mac: string) => readonly string[];
  #held: Held | undefined;
  #decisions: readonly Decision[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #cuts: Promise<void> = Promise.resolve();
  #cutsWaiting = 0;
  readonly #closed = new AbortController();

  private constructor(options: NftablesFirewallOptions) {
    this.#nft = options.nft ?? ['nft'];
    this.#conntrack = options.conntrack ?? ['conntrack'];
    this.#rateLimit = options.rateLimit ?? { packetsPerSecond: 50, burstPackets: 100 };
    this.#addressesOf = options.addressesOf ?? (() => []);
  }

  /** Asks the kernel nothing yet: where nft is missing, each call of `hold` and `read` says so. */
  static create(options: NftablesFirewallOptions): NftablesFirewall {
    return new NftablesFirewall(options);
  }

  hold(decisions: readonly Decision[], guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    return this.#inTurn(() => this.#hold(decisions, guard, signal));
  }

  read(signal: AbortSignal): Promise<FirewallReading> {
    return this.#inTurn(async () => this.#reading(await this.#list(signal)));
  }

  clear(signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      await this.#apply(dropTable(), signal);
      this.#held = undefined;
      this.#decisions = [];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    this.#closed.abort();
    await this.#cuts;
  }

  async #hold(decisions: readonly Decision[], guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    const nowMs = Date.now();
    const ruleset = planRuleset(decisions, { nowMs, addressesOf: this.#addressesOf });
    const guardText = JSON.stringify(guard);
    const before = this.#held?.guardText === guardText ? this.#held : undefined;
    const change = before === undefined ? undefined : changeBatch(before.ruleset, ruleset, nowMs);
    let reading = noTable;
    let held: Held | undefined;
    if (before !== undefined && change !== undefined && (await this.#tryApply(change, signal))) {
      reading = await this.#list(signal);
      const sets = before.ruleset.sets;
      held = { ruleset: { ...ruleset, sets }, guardText, structure: before.structure };
      if (findDrift(reading, ruleset, held.structure, Date.now()) !== undefined) held = undefined;
    }
    if (held === undefined) {
      const { counters } = await this.#list(signal);
      await this.#apply(fullBatch(ruleset, { guard, counters, rateLimit: this.#rateLimit, nowMs }), signal);
      reading = await this.#list(signal);
      held = { ruleset, guardText, structure: reading.structure };
      const drift = findDrift(reading, ruleset, undefined, Date.now());
      if (drift !== undefined) {
        throw new FirewallError('not-verified', `the kernel took the rules but does not hold them: ${drift}`);
      }
    }
    const known = new Set(this.#held === undefined ? [] : this.#decisions.map((decision) => decision.id));
    this.#held = held;
    this.#decisions = decisions;
    this.#cut(
      decisions.filter((decision) => !known.has(decision.id)),
      guard,
    );
    return this.#reading(reading);
  }

  #reading(table: TableReading): FirewallReading {
    const { ruleset, structure } = this.#held ?? { ruleset: emptyRuleset, structure: undefined };
    const nowMs = Date.now();
    const isWhole = table.exists && (structure === undefined || table.structure === structure);
    const decisionIds = new Set<string>();
    if (isWhole) {
      for (const [id, keys] of ruleset.elementsOf)
        if (keys.every((key) => table.elements.has(key))) decisionIds.add(id);
      // after a restart the kernel still knows what we do not
      if (this.#held === undefined) {
        for (const id of table.elements.values()) if (id !== undefined) decisionIds.add(id);
      }
    }
    return {
      decisionIds,
      packetsDropped: table.counters.dropped,
      packetsWouldDrop: table.counters.wouldDrop,
      drift: this.#held === undefined ? null : (findDrift(table, ruleset, structure, nowMs) ?? null),
    };
  }

  async #list(signal: AbortSignal): Promise<TableReading> {
    const result = await this.#run(['-j', 'list', 'table', 'inet', tableName], undefined, signal);
    if (result.code === 0) return readTable(result.stdout);
    if (/No such file or directory/.test(result.stderr)) return noTable;
    throw nftError(result);
  }

  async #tryApply(batch: readonly NftCommand[], signal: AbortSignal): Promise<boolean> {
    if (batch.length === 0) return true;
    return (await this.#run(['-j', '-f', '-'], batch, signal)).code === 0;
  }

  async #apply(batch: readonly NftCommand[], signal: AbortSignal): Promise<void> {
    const result = await this.#run(['-j', '-f', '-'], batch, signal);
    if (result.code !== 0) throw nftError(result);
  }

  async #run(
    args: readonly string[],
    batch: readonly NftCommand[] | undefined,
    signal: AbortSignal,
  ): Promise<ProgramResult> {
    const stdin = batch === undefined ? {} : { stdin: JSON.stringify({ nftables: batch }) };
    try {
      return await runProgram([...this.#nft, ...args], { ...stdin, signal });
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EACCES' || code === 'EPERM') {
        throw new FirewallError('not-permitted', 'nft may not be run by this user; until then nothing is blocked');
      }
      if (code !== 'ENOENT') throw error;
      throw new FirewallError('missing', 'nft is not installed: apt install nftables; until then nothing is blocked');
    }
  }

  /** Nobody waits for it: what is cut is dropped already. */
  #cut(decisions: readonly Decision[], guard: Guard): void {
    for (const args of decisions.flatMap((decision) => connectionCuts(decision, guard))) {
      if (this.#cutsWaiting >= maxCuts) return;
      this.#cutsWaiting += 1;
      this.#cuts = this.#cutAfter(this.#cuts, args);
    }
  }

  async #cutAfter(earlier: Promise<void>, args: readonly string[]): Promise<void> {
    await earlier;
    try {
      await runProgram([...this.#conntrack, ...args], { signal: this.#closed.signal });
    } catch {
      // not installed, or not permitted: the drop rules hold without it
    } finally {
      this.#cutsWaiting -= 1;
    }
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function nftError({ stderr, code }: ProgramResult): FirewallError {
  const detail = stderr.split('\n').slice(0, 3).join(' ').slice(0, 300);
  return /not permitted|must be root/i.test(stderr)
    ? new FirewallError('not-permitted', 'nft may not be used: run the agent as root or with CAP_NET_ADMIN')
    : new FirewallError('refused', `nft refused the rules (exit ${code ?? 'by signal'}): ${detail}`);
}
