/** A firewall in memory for tests: holds what it is told, fails when told to, and can be tampered with. */
import type { Firewall, FirewallReading, FirewallWatch } from '../enforcement/firewall.ts';
import type { Guard } from '../enforcement/guard.ts';
import type { Restriction } from '../enforcement/restriction.ts';

export class MemoryFirewall implements Firewall {
  /** What holds now. */
  decisions: readonly Restriction[] = [];
  guard: Guard | undefined;
  /** Thrown by every call while it is set. */
  failure: Error | undefined;
  /** Set by a test that tells of changes. */
  watch?: (onChanged: () => void) => FirewallWatch;
  /** Set by a test that hears what is announced. */
  announce?: (decisions: readonly Restriction[]) => void;
  /** So many calls of `clear` fail. */
  failingClears = 0;
  /** How often `hold`, `read` and `clear` were called. */
  holds = 0;
  reads = 0;
  clears = 0;

  async hold(decisions: readonly Restriction[], guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    this.holds += 1;
    if (this.failure !== undefined) throw this.failure;
    this.decisions = decisions;
    this.guard = guard;
    return this.#reading(signal);
  }

  async read(signal: AbortSignal): Promise<FirewallReading> {
    this.reads += 1;
    return this.#reading(signal);
  }

  #reading(signal: AbortSignal): FirewallReading {
    signal.throwIfAborted();
    if (this.failure !== undefined) throw this.failure;
    return {
      decisionIds: new Set(this.decisions.map((decision) => decision.id)),
      packetsOf: new Map(),
      packetsDropped: 0,
      packetsWouldDrop: 0,
      drift: null,
    };
  }

  async clear(): Promise<void> {
    this.clears += 1;
    if (this.failingClears > 0) {
      this.failingClears -= 1;
      throw new Error('clear was stopped at its deadline');
    }
    this.decisions = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.decisions = [];
  }
}
