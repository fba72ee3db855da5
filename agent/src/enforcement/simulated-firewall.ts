/** A firewall that says nothing to any kernel: for replays, and for a gateway that may only observe. */
import type { Decision } from '@picket/shared/contract/decision';
import type { Firewall, FirewallReading } from './firewall.ts';
import { planRuleset, type Ruleset } from './nft-ruleset.ts';
import type { Guard } from './guard.ts';

export interface SimulatedFirewallOptions {
  /** Milliseconds; the packet time of a replay. Default: the wall clock. */
  readonly now?: () => number;
}

export class SimulatedFirewall implements Firewall {
  readonly #now: () => number;
  #ruleset: Ruleset = { sets: new Map(), elements: new Map(), elementsOf: new Map() };

  constructor(options: SimulatedFirewallOptions = {}) {
    this.#now = options.now ?? Date.now;
  }

  /** Throws for the same values as the kernel's firewall does. */
  async hold(decisions: readonly Decision[], _guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    signal.throwIfAborted();
    this.#ruleset = planRuleset(decisions, { nowMs: this.#now(), addressesOf: () => [] });
    return this.read(signal);
  }

  async read(signal: AbortSignal): Promise<FirewallReading> {
    signal.throwIfAborted();
    const nowMs = this.#now();
    const { elements, elementsOf } = this.#ruleset;
    const decisionIds = new Set(
      [...elementsOf]
        .filter(([, keys]) => keys.some((key) => (elements.get(key)?.expiresAtMs ?? 0) > nowMs))
        .map(([id]) => id),
    );
    return { decisionIds, packetsOf: new Map(), packetsDropped: 0, packetsWouldDrop: 0, drift: null };
  }

  async clear(): Promise<void> {
    this.#ruleset = { sets: new Map(), elements: new Map(), elementsOf: new Map() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear();
  }
}
