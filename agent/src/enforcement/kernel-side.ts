/**
 * What the firewall is asked to hold, and what it was last seen to hold. Asks, reads back, repairs what somebody else
 * changed, and tells what is verified. One call at a time.
 */
import type { Logger } from 'pino';
import type { Decision, Mode } from '@picket/shared/contract/decision';
import type { DecisionStore } from './decision-store.ts';
import type { DecisionTeller } from './decision-teller.ts';
import { FirewallError, type Firewall, type FirewallReading } from './firewall.ts';
import type { Guard } from './guard.ts';
import { describeHeldOpen, type HeldOpenMark } from './held-open.ts';
import { KernelGap } from './kernel-gap.ts';
import { passModeGate } from './mode-gate.ts';

export interface KernelSideOptions {
  /** Both owned by the caller. */
  readonly firewall: Firewall;
  readonly store: DecisionStore;
  readonly teller: DecisionTeller;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds since 1970 by the clock that decisions end by. */
  readonly now: () => number;
  /** The owner's word that nothing may be restricted now. */
  readonly heldOpen: () => HeldOpenMark | undefined;
  /** Aborts what is asked of the firewall. */
  readonly signal: AbortSignal;
}

/** What the gateway may do, and to whom it may not. */
export interface Terms {
  readonly mode: Mode;
  readonly guard: Guard;
}

/** An element may leave the kernel this long before its decision ends. */
const graceMs = 3000;

const nothingRead: FirewallReading = {
  decisionIds: new Set(),
  packetsOf: new Map(),
  packetsDropped: 0,
  packetsWouldDrop: 0,
  drift: null,
};

export class KernelSide {
  readonly gap: KernelGap;
  /** Held on paper, but not (yet) seen in the kernel. */
  readonly unverified = new Set<string>();
  readonly #options: KernelSideOptions;
  #reading = nothingRead;
  #problem: string | undefined;
  /** The kernel was not brought to what it shall hold: that it holds what it was told before proves nothing then. */
  #isBehind = false;
  #failed = 0;
  #isOpen = false;

  constructor(options: KernelSideOptions) {
    this.#options = options;
    this.gap = new KernelGap(options.now);
    for (const { id } of options.store.all()) this.unverified.add(id);
  }

  /** What the kernel was last seen to hold. */
  get reading(): FirewallReading {
    return this.#reading;
  }

  /** What keeps the kernel from holding what it should, for people. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Calls of the firewall that failed. */
  get failed(): number {
    return this.#failed;
  }

  /** Its owner holds the gateway open. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Admitted a moment ago, to be held with others that are still on their way. */
  announce(decisions: readonly Decision[], terms: Terms): void {
    if (terms.mode === 'observe' || this.#options.heldOpen() !== undefined) return;
    this.#options.firewall.announce?.(decisions);
  }

  /**
   * What went wrong, for people; undefined where the kernel holds what it should. `save` is called before anything is
   * told, and while others are at work where that can be.
   */
  async hold(terms: Terms, save?: () => void): Promise<string | undefined> {
    const { firewall, signal } = this.#options;
    const mark = this.#options.heldOpen();
    this.#noteOpen(mark);
    try {
      if (mark !== undefined) await this.#clear();
      else if (terms.mode === 'observe') await this.#withdraw();
      else this.#reading = await firewall.hold(this.#effective(terms), terms.guard, signal, save);
    } catch (error) {
      this.#isBehind = true;
      return this.#noteFailure(error);
    } finally {
      save?.();
    }
    this.#isBehind = false;
    this.#noteGood();
    if (mark !== undefined) return describeHeldOpen(mark);
    this.#tellVerified();
    return undefined;
  }

  /** Asks again for what failed; else reads the kernel back and repairs it where it differs. */
  async check(terms: Terms): Promise<void> {
    if (this.#isBehind || this.#isOpen !== (this.#options.heldOpen() !== undefined)) {
      await this.hold(terms);
      return;
    }
    if (terms.mode === 'observe') return;
    try {
      this.#reading = await this.#options.firewall.read(this.#options.signal);
    } catch (error) {
      this.#noteFailure(error);
      return;
    }
    const { decisionIds, drift } = this.#reading;
    if (this.#isOpen) {
      if (decisionIds.size > 0 || drift !== null) await this.hold(terms);
      else this.#noteGood();
      return;
    }
    const nowMs = this.#options.now();
    const missing = this.#effective(terms).find(
      ({ id, expires_at }) => !decisionIds.has(id) && Date.parse(expires_at) - nowMs > graceMs,
    );
    if (drift === null && missing === undefined) {
      this.#noteGood();
      return;
    }
    if (missing !== undefined && this.unverified.has(missing.id)) {
      await this.hold(terms); // it never was there
      return;
    }
    this.#options.log.warn({ drift, missing: missing?.id }, 'the kernel was changed: repairing');
    this.gap.noteRepair();
    await this.hold(terms);
  }

  /** What the kernel shall hold; the very decisions of the store where the mode of the gateway takes nothing from them. */
  #effective(terms: Terms): readonly Decision[] {
    return this.#options.store.all().flatMap((decision) => {
      const mode = passModeGate(decision.mode, terms.mode);
      if (mode === 'observe') return [];
      return mode === decision.mode ? decision : { ...decision, mode };
    });
  }

  #tellVerified(): void {
    const { store, teller } = this.#options;
    for (const id of this.unverified) {
      const decision = store.get(id);
      const isThere = this.#reading.decisionIds.has(id);
      if (decision === undefined || isThere) this.unverified.delete(id);
      if (decision === undefined || !isThere) continue;
      if (decision.mode === 'simulate') teller.tell(decision, 'simulated', 'matching packets are counted');
      else teller.tell(decision, 'verified', 'read back from the kernel');
    }
  }

  /** What held is told as held again once the owner resumes. */
  #noteOpen(mark: HeldOpenMark | undefined): void {
    if ((mark !== undefined) === this.#isOpen) return;
    const { store, log } = this.#options;
    this.#isOpen = mark !== undefined;
    for (const { id } of store.all()) this.unverified.add(id);
    const held = store.size;
    if (mark === undefined) log.info({ held }, 'no longer held open: restricting again');
    else log.warn({ held }, `nothing is restricted: ${describeHeldOpen(mark)}`);
  }

  /** Who only observes says nothing to the kernel, but to take back what was said before. */
  async #withdraw(): Promise<void> {
    const { firewall, signal } = this.#options;
    if (this.#reading === nothingRead) {
      const { decisionIds, drift } = await firewall.read(signal);
      if (decisionIds.size === 0 && drift === null) return;
    }
    await this.#clear();
  }

  async #clear(): Promise<void> {
    const { firewall, signal } = this.#options;
    await firewall.clear(signal);
    this.#reading = nothingRead;
  }

  #noteGood(): void {
    this.#problem = undefined;
    this.gap.noteGood();
  }

  #noteFailure(error: unknown): string {
    this.#failed += 1;
    const message = error instanceof Error ? error.message : String(error);
    if (message !== this.#problem) {
      const code = error instanceof FirewallError ? error.code : undefined;
      this.#options.log.warn({ code }, `firewall: ${message}`);
      this.#problem = message;
    }
    return message.slice(0, 400);
  }
}
