/** PORT. What the agent needs from a firewall. Calls are repeatable: the same set twice changes nothing. */
import type { Guard } from './guard.ts';
import type { Restriction } from './restriction.ts';

/** What the kernel holds and counts, as read back from it. */
export interface FirewallReading {
  /** Ids of our decisions that are in the kernel now, behind the guard and with the rules that make them count. */
  readonly decisionIds: ReadonlySet<string>;
  /** Packets that met the elements of a decision, by its id; those that met none are left out. */
  readonly packetsOf: ReadonlyMap<string, number>;
  readonly packetsDropped: number;
  readonly packetsWouldDrop: number;
  /** What is there, or not there, though nobody asked for it; null where the kernel holds what it was told to hold. */
  readonly drift: string | null;
}

/** Hears what leaves the kernel. */
export interface FirewallWatch extends AsyncDisposable {
  /** How often what listens had to be started again: it ended, or cannot run. Meanwhile nothing is heard. */
  readonly restarts: number;
}

export interface Firewall extends AsyncDisposable {
  /**
   * These will be among what `hold` is asked for next; whoever has them checked by another process may begin. Nothing
   * holds, or ends, for it; never throws.
   */
  announce?(decisions: readonly Restriction[]): void;
  /**
   * Make exactly these decisions hold behind this guard, and no others of ours; all of it or nothing of it. `meanwhile`
   * is called where others are at work on it and this process would only wait; never, where that is not so.
   */
  hold(
    decisions: readonly Restriction[],
    guard: Guard,
    signal: AbortSignal,
    meanwhile?: () => void,
  ): Promise<FirewallReading>;
  /** What the kernel says is so. */
  read(signal: AbortSignal): Promise<FirewallReading>;
  /** Calls back whenever something of ours may have left the kernel, also where we did it. For kernels that can tell. */
  watch?(onChanged: () => void): FirewallWatch;
  /** Take everything of ours out of the kernel. */
  clear(signal: AbortSignal): Promise<void>;
}

export type FirewallErrorCode = 'missing' | 'not-permitted' | 'refused' | 'not-verified';

/** The kernel could not be made to hold what it should. The message says what to do; what held before still holds. */
export class FirewallError extends Error {
  override readonly name = 'FirewallError';
  readonly code: FirewallErrorCode;

  constructor(code: FirewallErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
