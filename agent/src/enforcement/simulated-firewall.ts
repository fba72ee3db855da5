/** A firewall that says nothing to any kernel: for replays, and for a gateway that may only observe. */
import { ElementPlan } from './element-plan.ts';
import type { Firewall, FirewallReading } from './firewall.ts';
import type { Guard } from './guard.ts';
import type { Restriction } from './restriction.ts';

export interface SimulatedFirewallOptions {
  /** Milliseconds; the packet time of a replay. Default: the wall clock. */
  readonly now?: () => number;
}

export class SimulatedFirewall implements Firewall {
  readonly #now: () => number;
  #plan = new ElementPlan();

  constructor(options: SimulatedFirewallOptions = {}) {
    this.#now = options.now ?? Date.now;
  }

  /** Throws for the same values as the kernel's firewall does. */
  async hold(decisions: readonly Restriction[], _guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    signal.throwIfAborted();
    this.#plan.commit(this.#plan.compare(decisions, { nowMs: this.#now(), addressesOf: () => [] }));
    return this.read(signal);
  }

  async read(signal: AbortSignal): Promise<FirewallReading> {
    signal.throwIfAborted();
    const nowMs = this.#now();
    const { elements, decisions } = this.#plan;
    const decisionIds = new Set(
      [...decisions]
        .filter(([, needed]) => needed.elements.some(({ key }) => (elements.get(key)?.expiresAtMs ?? 0) > nowMs))
        .map(([id]) => id),
    );
    return { decisionIds, packetsOf: new Map(), packetsDropped: 0, packetsWouldDrop: 0, drift: null };
  }

  async clear(): Promise<void> {
    this.#plan = new ElementPlan();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear();
  }
}
