/** A firewall in memory for tests: holds what it is told, fails when told to, and can be tampered with. */
import type { Decision } from '@picket/shared/contract/decision';
import type { Firewall, FirewallReading } from '../enforcement/firewall.ts';
import type { Guard } from '../enforcement/guard.ts';

export class MemoryFirewall implements Firewall {
  /** What holds now. */
  decisions: readonly Decision[] = [];
  guard: Guard | undefined;
  /** Thrown by every call while it is set. */
  failure: Error | undefined;
  /** Set by a test that tells of changes. */
  watch?: (onChanged: () => void) => AsyncDisposable;
  /** How often `clear` was called. */
  clears = 0;

  async hold(decisions: readonly Decision[], guard: Guard, signal: AbortSignal): Promise<FirewallReading> {
    if (this.failure !== undefined) throw this.failure;
    this.decisions = decisions;
    this.guard = guard;
    return this.read(signal);
  }

  async read(signal: AbortSignal): Promise<FirewallReading> {
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
    this.decisions = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.decisions = [];
  }
}
