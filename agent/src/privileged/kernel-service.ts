/**
 * Serves requests for the kernel: checks each against the schema, its bounds and a pace, builds the rules itself and
 * applies them to our own tables. Whoever has taken over the main process can restrict and lift for a time, and
 * nothing else: no other table, no other program, no rule that stays.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { maxDecisionSeconds } from '@picket/shared/contract/decision';
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import { FirewallError, type Firewall, type FirewallReading, type FirewallWatch } from '../enforcement/firewall.ts';
import { checkGuard } from '../enforcement/guard.ts';
import type { Restriction } from '../enforcement/restriction.ts';
import { maxHeldDecisions, readRequest, type Reading, type Reply, type Request } from './messages.ts';
import { RequestPace } from './request-pace.ts';

/** What the firewall behind it asks this service for. */
export interface KernelFacts {
  /** Milliseconds since 1970, by the clock of the main process. */
  readonly now: () => number;
  readonly addressesOf: (mac: string) => readonly string[];
}

export interface KernelServiceOptions {
  /** Owned by the service from here on. */
  readonly openFirewall: (facts: KernelFacts) => Firewall;
  readonly send: (reply: Reply) => void;
}

const maxWaiting = 256;
const requestsPerSecond = 1000;
const requestBurst = 2000;
const kernelPerSecond = 100;
const kernelBurst = 200;
/** Longer than any call of nft may take. */
const deadlineMs = 60_000;
/** Between attempts to take everything out of the kernel; what holds there ends by itself in any case. */
export const releasePausesMs: readonly number[] = [100, 200, 500, 1000, 2000, 5000, 10_000];

export class KernelService implements AsyncDisposable {
  readonly #firewall: Firewall;
  readonly #send: (reply: Reply) => void;
  readonly #pace = new RequestPace(requestsPerSecond, requestBurst);
  readonly #kernelPace = new RequestPace(kernelPerSecond, kernelBurst);
  readonly #decisions = new Map<string, Restriction>();
  /** None of them ends later, in milliseconds since 1970; not a number where one has no end. */
  #latestEndMs = 0;
  #addresses: Readonly<Record<string, readonly string[]>> = {};
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #clockAheadMs = 0;
  #lastIds: ReadonlySet<string> | undefined;
  #failPolicy: 'keep' | 'open' = 'keep';
  #isReleased = false;
  readonly #watching: FirewallWatch | undefined;
  refused = 0;

  constructor(options: KernelServiceOptions) {
    this.#send = options.send;
    this.#firewall = options.openFirewall({
      now: () => performance.now() + this.#clockAheadMs,
      addressesOf: (mac) => this.#addresses[mac] ?? [],
    });
    this.#watching = this.#firewall.watch?.(() => this.#send({ event: 'changed' }));
  }

  get failPolicy(): 'keep' | 'open' {
    return this.#failPolicy;
  }

  /** One request, whatever it is; the answer is sent. Never throws. */
  async serve(value: unknown): Promise<void> {
    const parsed = readRequest(value);
    if (!parsed.success) {
      this.refuse(idOf(value), z.prettifyError(parsed.error).slice(0, 500));
      return;
    }
    const request = parsed.data;
    if (!this.#pace.take() || (asksKernel(request) && !this.#kernelPace.take()) || this.#waiting >= maxWaiting) {
      this.refuse(request.id, 'too many requests');
      return;
    }
    this.#waiting += 1;
    const turn = this.#queue.then(() => this.#answer(request));
    this.#queue = turn;
    await turn;
    this.#waiting -= 1;
  }

  refuse(id: number | null, message: string): void {
    this.refused += 1;
    this.#send({ re: id, ok: false, code: 'refused', message });
  }

  /**
   * The agent is gone: serves nothing more, also of what waits, and takes everything of ours out of the kernel. Tried
   * again while that fails; resolves with how many attempts failed, and rejects with the reason when the last one did.
   */
  async release(pausesMs: readonly number[] = releasePausesMs): Promise<number> {
    this.#isReleased = true;
    for (let failed = 0; ; failed += 1) {
      try {
        await this.#firewall.clear(AbortSignal.timeout(deadlineMs));
        return failed;
      } catch (error) {
        const pauseMs = pausesMs[failed];
        if (pauseMs === undefined) throw error;
        await delay(pauseMs);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watching?.[Symbol.asyncDispose]();
    await this.#queue;
    await this.#firewall[Symbol.asyncDispose]();
  }

  async #answer(request: Request): Promise<void> {
    try {
      const reading = await this.#do(request);
      this.#send({ re: request.id, ok: true, ...(reading === undefined ? {} : { reading: this.#told(reading) }) });
    } catch (error) {
      const code = error instanceof FirewallError ? error.code : 'refused';
      this.refused += 1;
      this.#send({ re: request.id, ok: false, code, message: (error as Error).message.slice(0, 1000) });
    }
  }

  async #do(request: Request): Promise<FirewallReading | undefined> {
    if (this.#isReleased) throw new Error('the agent is gone');
    const signal = AbortSignal.timeout(deadlineMs);
    switch (request.op) {
      case 'declare':
        this.#failPolicy = request.fail_policy;
        return undefined;
      case 'add':
        this.#add(request.decisions);
        return undefined;
      case 'remove':
        for (const id of request.ids) this.#decisions.delete(id);
        return undefined;
      case 'reset':
        this.#decisions.clear();
        this.#latestEndMs = 0;
        this.#lastIds = undefined;
        return undefined;
      case 'hold':
        this.#useTime(request.now_ms);
        this.#checkEnds(request.now_ms);
        checkGuard(request.guard);
        this.#addresses = request.addresses;
        return this.#firewall.hold([...this.#decisions.values()], request.guard, signal);
      case 'read':
        this.#useTime(request.now_ms);
        return this.#firewall.read(signal);
      case 'clear':
        await this.#firewall.clear(signal);
        return undefined;
    }
  }

  /** All of them or none. */
  #add(decisions: readonly Restriction[]): void {
    for (const decision of decisions) {
      const parsed = parseDecisionValue(decision.scope, decision.value);
      if (!parsed.ok) throw new Error(`decision ${decision.id}: ${parsed.reason}`);
    }
    const fresh = decisions.filter(({ id }) => !this.#decisions.has(id)).length;
    if (this.#decisions.size + fresh > maxHeldDecisions) {
      throw new Error(`${maxHeldDecisions} decisions are held already`);
    }
    for (const decision of decisions) {
      this.#decisions.set(decision.id, decision);
      this.#latestEndMs = Math.max(this.#latestEndMs, Date.parse(decision.expires_at));
    }
  }

  /** Whatever the clock is said to be, nothing reaches the kernel that would stay there for longer. */
  #checkEnds(nowMs: number): void {
    const latest = nowMs + (maxDecisionSeconds + 60) * 1000;
    if (this.#latestEndMs <= latest) return;
    this.#latestEndMs = 0; // it may be of one that was removed since
    let tooLong: string | undefined;
    for (const { id, expires_at } of this.#decisions.values()) {
      const endsAtMs = Date.parse(expires_at);
      this.#latestEndMs = Math.max(this.#latestEndMs, endsAtMs);
      if (!(endsAtMs <= latest)) tooLong ??= id;
    }
    if (tooLong !== undefined) {
      throw new Error(`decision ${tooLong} would last longer than ${maxDecisionSeconds} seconds`);
    }
  }

  #useTime(nowMs: number): void {
    this.#clockAheadMs = nowMs - performance.now();
  }

  #told(reading: FirewallReading): Reading {
    const before = this.#lastIds;
    this.#lastIds = reading.decisionIds;
    return {
      decision_ids: this.#idsTold(reading.decisionIds, before),
      packets_of: [...reading.packetsOf],
      packets_dropped: reading.packetsDropped,
      packets_would_drop: reading.packetsWouldDrop,
      drift: reading.drift,
      monitor_restarts: this.#watching?.restarts ?? 0,
    };
  }

  /** In few words where that is possible: there may be thousands. */
  #idsTold(ids: ReadonlySet<string>, before: ReadonlySet<string> | undefined): Reading['decision_ids'] {
    if (isSameSet(ids, this.#decisions)) return { added: ids.size };
    if (before === undefined) return { all: [...ids] };
    return {
      came: [...ids].filter((id) => !before.has(id)),
      went: [...before].filter((id) => !ids.has(id)),
      count: ids.size,
    };
  }
}

function isSameSet(ids: ReadonlySet<string>, known: ReadonlyMap<string, unknown>): boolean {
  if (ids.size !== known.size) return false;
  for (const id of ids) if (!known.has(id)) return false;
  return true;
}

function asksKernel({ op }: Request): boolean {
  return op === 'hold' || op === 'read' || op === 'clear';
}

function idOf(value: unknown): number | null {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : null;
}
