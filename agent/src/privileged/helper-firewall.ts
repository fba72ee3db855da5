/** The kernel's firewall for a process that may not touch it: what changes is told to the one that may. */
import type { Firewall, FirewallReading, FirewallWatch } from '../enforcement/firewall.ts';
import type { Guard } from '../enforcement/guard.ts';
import { restrictionOf, type Restriction } from '../enforcement/restriction.ts';
import { Turns } from '../enforcement/turns.ts';
import type { HelperLink, Unnumbered } from './helper-link.ts';
import {
  maxAddressesPerMac,
  maxAddressesPerRequest,
  maxDecisionsPerRequest,
  maxIdsPerRequest,
  type Reading,
  type Request,
} from './messages.ts';

export interface HelperFirewallOptions {
  /** Owned by the caller. */
  readonly link: Pick<HelperLink, 'request' | 'watch'>;
  /** Milliseconds since 1970 by the clock that the decisions' ends go by. */
  readonly now: () => number;
  readonly addressesOf: (mac: string) => readonly string[];
}

export class HelperFirewall implements Firewall {
  readonly #link: HelperFirewallOptions['link'];
  readonly #now: () => number;
  readonly #addressesOf: (mac: string) => readonly string[];
  /** What the helper was told, by id. */
  #told = new Map<string, Restriction>();
  /** What was told before it was to hold; rejects where some of it was not taken. */
  #announced: Promise<unknown> = Promise.resolve();
  /** The helper knows of those, and of no others. */
  #isInStep = false;
  /** A reading may have been said that did not come through: the next one must not be said as what differs from it. */
  #hasMissed = false;
  #decisionIds: ReadonlySet<string> = new Set();
  #monitorRestarts = 0;
  readonly #turns = new Turns();

  constructor(options: HelperFirewallOptions) {
    this.#link = options.link;
    this.#now = options.now;
    this.#addressesOf = options.addressesOf;
  }

  /** The helper checks them while this process is at work on others. */
  announce(decisions: readonly Restriction[]): void {
    // else all is told anew
    if (!this.#isInStep || this.#hasMissed || this.#turns.waiting > 0) return;
    const fresh = decisions.filter((decision) => this.#isFresh(decision));
    this.#announced = Promise.all([this.#announced, ...this.#tell(fresh)]);
    this.#announced.catch(() => {}); // `hold` finds it
    for (const decision of fresh) this.#told.set(decision.id, decision);
  }

  hold(
    decisions: readonly Restriction[],
    guard: Guard,
    signal: AbortSignal,
    meanwhile?: () => void,
  ): Promise<FirewallReading> {
    return this.#turns.take(async () => {
      const wasInStep = this.#isInStep && !this.#hasMissed;
      this.#isInStep = false;
      const changes = wasInStep ? this.#difference(decisions) : { gone: [], fresh: decisions };
      const told = [
        ...(wasInStep ? [this.#announced] : [this.#link.request({ op: 'reset' }, signal)]),
        ...pieces(changes.gone, maxIdsPerRequest).map((ids) => this.#link.request({ op: 'remove', ids }, signal)),
        ...this.#tell(changes.fresh, signal),
      ];
      this.#announced = Promise.resolve();
      this.#told = new Map(decisions.map((decision) => [decision.id, decision]));
      const addresses = this.#addressesIn(decisions);
      for (const { reason } of (await Promise.allSettled(told)).filter((result) => result.status === 'rejected')) {
        throw reason;
      }
      const asked = this.#ask({ op: 'hold', now_ms: this.#nowMs(), guard, addresses }, signal);
      meanwhile?.();
      const reading = await asked;
      this.#isInStep = true;
      return reading;
    });
  }

  read(signal: AbortSignal): Promise<FirewallReading> {
    return this.#turns.take(async () => {
      if (this.#hasMissed || !this.#isInStep) {
        this.#isInStep = false; // a reset forgets what was told as well
        this.#told = new Map();
        await this.#link.request({ op: 'reset' }, signal);
      }
      return this.#ask({ op: 'read', now_ms: this.#nowMs() }, signal);
    });
  }

  /** Restarts are known as of the last reading. */
  watch(onChanged: () => void): FirewallWatch {
    const watching = this.#link.watch(onChanged);
    const restarts = (): number => this.#monitorRestarts;
    return {
      get restarts() {
        return restarts();
      },
      [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose](),
    };
  }

  clear(signal: AbortSignal): Promise<void> {
    return this.#turns.take(async () => {
      await this.#link.request({ op: 'clear' }, signal);
    });
  }

  /** What holds in the kernel stays there until its own end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turns.idle();
  }

  #tell(decisions: readonly Restriction[], signal?: AbortSignal): readonly Promise<unknown>[] {
    return pieces(decisions, maxDecisionsPerRequest).map((some) =>
      this.#link.request({ op: 'add', decisions: some.map(restrictionOf) }, signal),
    );
  }

  #difference(decisions: readonly Restriction[]): {
    readonly gone: readonly string[];
    readonly fresh: readonly Restriction[];
  } {
    const wanted = new Set(decisions.map(({ id }) => id as string));
    return {
      gone: [...this.#told.keys()].filter((id) => !wanted.has(id)),
      fresh: decisions.filter((decision) => this.#isFresh(decision)),
    };
  }

  #isFresh({ id, mode, expires_at }: Restriction): boolean {
    const before = this.#told.get(id);
    return before === undefined || before.mode !== mode || before.expires_at !== expires_at;
  }

  /**
   * Of the MACs that are cut, those of the newest decisions first: whoever forges MACs and addresses may not make a request
   * so long that it is refused, and nothing be cut or let go any more. The MAC itself is cut however many addresses are left out.
   */
  #addressesIn(decisions: readonly Restriction[]): Record<string, string[]> {
    const addresses: Record<string, string[]> = {};
    let room = maxAddressesPerRequest;
    for (const { scope, value } of decisions.toReversed()) {
      if (room === 0) break;
      if (scope !== 'device' || !macPattern.test(value) || addresses[value] !== undefined) continue;
      const own = this.#addressesOf(value).slice(0, Math.min(maxAddressesPerMac, room));
      if (own.length === 0) continue;
      addresses[value] = own;
      room -= own.length;
    }
    return addresses;
  }

  #nowMs(): number {
    return Math.floor(this.#now());
  }

  async #ask(request: Unnumbered<Request>, signal: AbortSignal): Promise<FirewallReading> {
    this.#hasMissed = true;
    const reading = this.#reading(await this.#link.request(request, signal));
    this.#hasMissed = false;
    return reading;
  }

  #reading(reading: Reading | undefined): FirewallReading {
    if (reading === undefined) throw new Error('the privileged process answered without a reading');
    this.#decisionIds = this.#idsAfter(reading.decision_ids);
    this.#monitorRestarts = reading.monitor_restarts;
    return {
      decisionIds: this.#decisionIds,
      packetsOf: new Map(reading.packets_of),
      packetsDropped: reading.packets_dropped,
      packetsWouldDrop: reading.packets_would_drop,
      drift: reading.drift,
    };
  }

  #idsAfter(ids: Reading['decision_ids']): ReadonlySet<string> {
    if ('all' in ids) return new Set(ids.all);
    if ('added' in ids) return counted(new Set(this.#told.keys()), ids.added);
    const after = new Set(this.#decisionIds);
    for (const id of ids.went) after.delete(id);
    for (const id of ids.came) after.add(id);
    return counted(after, ids.count);
  }
}

/** Throws where the helper counts others. */
function counted(ids: ReadonlySet<string>, count: number): ReadonlySet<string> {
  if (ids.size === count) return ids;
  throw new Error('the privileged process counts other decisions than this one: all is told anew');
}

const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

function pieces<T>(all: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let from = 0; from < all.length; from += size) result.push(all.slice(from, from + size));
  return result;
}
