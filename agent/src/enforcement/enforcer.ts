/**
 * The one door to the firewall. Whoever asks for a restriction (the model, a rule, a person, the fleet), it passes the
 * guard and the mode gate here, is written down, reaches the kernel in one batch and is read back; what became of it
 * is told as an event. When the firewall fails, what held still holds, what was asked for is kept and tried again.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Decision, DecisionEvent, Mode } from '@picket/shared/contract/decision';
import type { Health } from '@picket/shared/contract/gateway';
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import type { DecisionDraft } from '../verdict/decision-draft.ts';
import { Admission } from './admission.ts';
import { DecisionIntake } from './decision-intake.ts';
import { DecisionKeeper } from './decision-keeper.ts';
import { DecisionTeller } from './decision-teller.ts';
import type { EnforcerOptions, HeldDecision } from './enforcer-options.ts';
import type { FirewallWatch } from './firewall.ts';
import { checkGuard, refuseByGuard, type Guard } from './guard.ts';
import { KernelSide, type Terms } from './kernel-side.ts';
import { passModeGate } from './mode-gate.ts';
import { shiftDecision } from './shift-decision.ts';
import { Turns } from './turns.ts';

const maxWaiting = 1000;
/** One change of somebody else comes as many lines. */
const changeSettlesMs = 30;
/** While the kernel fails: what is tried again changes it as well, and is heard of. */
const retryMs = 1000;

export class Enforcer implements AsyncDisposable {
  readonly #options: EnforcerOptions;
  readonly #now: () => number;
  readonly #stopped = new AbortController();
  readonly #teller: DecisionTeller;
  readonly #keeper: DecisionKeeper;
  readonly #kernel: KernelSide;
  readonly #intake: DecisionIntake;
  #guard: Guard;
  #mode: Mode;
  #timer: NodeJS.Timeout | undefined;
  readonly #turns = new Turns();
  #checkSoon: NodeJS.Timeout | undefined;
  #watching: FirewallWatch | undefined;

  private constructor(options: EnforcerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#guard = options.guard;
    this.#mode = passModeGate(options.mode, options.ceiling ?? 'enforce');
    this.#teller = new DecisionTeller({ onEvent: options.onEvent, now: this.#now, skewMs: () => this.#skewMs() });
    const { store, firewall, log, heldOpen = () => undefined } = options;
    const common = { store, log, now: this.#now };
    this.#keeper = new DecisionKeeper(common);
    this.#kernel = new KernelSide({
      ...common,
      firewall,
      heldOpen,
      teller: this.#teller,
      signal: this.#stopped.signal,
    });
    this.#intake = new DecisionIntake({
      store,
      admission: new Admission(store, this.#now),
      keeper: this.#keeper,
      kernel: this.#kernel,
      teller: this.#teller,
    });
  }

  /** Brings the kernel to what the store says. Does not throw where the firewall fails: that is told and tried again. */
  static async open(options: EnforcerOptions): Promise<Enforcer> {
    checkGuard(options.guard);
    const enforcer = new Enforcer(options);
    await enforcer.#turns.take(async () => {
      enforcer.#endExpired();
      await enforcer.#hold();
    });
    enforcer.#watching = options.firewall.watch?.(() => enforcer.#noteChange());
    enforcer.#timer = setInterval(() => void enforcer.check(), options.checkEveryMs ?? 10_000);
    enforcer.#timer.unref();
    return enforcer;
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** What may not be cut, as it is now. */
  get guard(): Guard {
    return this.#guard;
  }

  /** What keeps the kernel from holding what it should, for people; undefined where nothing does. */
  get problem(): string | undefined {
    return this.#kernel.problem;
  }

  /** Ids of decisions that the kernel should hold and does not (yet); none where this gateway only observes. */
  get missing(): ReadonlySet<string> {
    return this.#mode === 'observe' ? new Set() : this.#kernel.unverified;
  }

  /** Whether the kernel held this decision when it was last read back. */
  holdsInKernel(id: string): boolean {
    return this.#kernel.reading.decisionIds.has(id);
  }

  /** Packets that met this decision, as the kernel counted them when it was last read back. */
  packetsMet(id: string): number {
    return this.#kernel.reading.packetsOf.get(id) ?? 0;
  }

  get stats(): Health['enforcement'] {
    return {
      in_force: this.#kernel.reading.decisionIds.size,
      refused: this.#teller.refused,
      failed: this.#kernel.failed,
      drift_repairs: this.#kernel.gap.repairs,
      gap_ms_total: this.#kernel.gap.totalMs,
      gap_ms_max: this.#kernel.gap.maxMs,
      monitor_restarts: this.#watching?.restarts ?? 0,
      fail_policy: this.#options.failPolicy ?? 'keep',
      unexpected_ends: this.#options.store.unexpectedEnds,
      unsaved: this.#options.store.unsaved,
      held_open: this.#kernel.isOpen,
      packets_dropped: this.#kernel.reading.packetsDropped,
      packets_would_drop: this.#kernel.reading.packetsWouldDrop,
    };
  }

  /**
   * A restriction that starts now, unless somebody says when. Resolves when its outcome is known; never rejects for the
   * firewall's sake.
   */
  async propose(draft: DecisionDraft, startsAtMs = this.#now()): Promise<DecisionEvent> {
    const { duration_seconds: seconds, is_forgeable: isForgeable = false, ...rest } = draft;
    const decision: Decision = {
      ...rest,
      created_at: new Date(startsAtMs).toISOString(),
      expires_at: new Date(startsAtMs + seconds * 1000).toISOString(),
    };
    const [event] = await this.#addAll([decision], isForgeable ? new Set([decision.id]) : undefined);
    return event ?? this.#teller.eventOf(decision, 'proposed', 'it is held already');
  }

  /**
   * Admits decisions, all in one batch. An event for each, in order, except those that are held already.
   */
  add(asked: readonly Decision[]): Promise<readonly DecisionEvent[]> {
    return this.#addAll(asked.map((decision) => shiftDecision(decision, -this.#skewMs())));
  }

  #addAll(
    decisions: readonly Decision[],
    forgeable: ReadonlySet<string> = new Set(),
  ): Promise<readonly DecisionEvent[]> {
    if (this.#turns.waiting >= maxWaiting) {
      return Promise.resolve(
        decisions.map((decision) => this.#teller.tell(decision, 'refused', 'too many changes are waiting')),
      );
    }
    return this.#turns.take(() => this.#intake.take(decisions, this.#terms(), forgeable));
  }

  /** Lifts decisions of any origin by their ids. An event for each that was held; unknown ids are remembered as lifted. */
  remove(ids: readonly string[], reason: string): Promise<readonly DecisionEvent[]> {
    return this.#turns.take(() => this.#retract(ids, reason));
  }

  /** Lifts the decision with this id, or all with this value. Empty where there is none. */
  async delete(idOrValue: string): Promise<readonly DecisionEvent[]> {
    const ids = this.#keeper.idsNamed(idOrValue);
    return ids.length === 0 ? [] : this.remove(ids, 'lifted by hand');
  }

  list(): readonly HeldDecision[] {
    return this.#options.store.all().map((decision) => ({
      decision: shiftDecision(decision, this.#skewMs()),
      in_kernel: this.#kernel.reading.decisionIds.has(decision.id),
    }));
  }

  /** From here on the gateway may do this much, within the ceiling; decisions that hold already become as gentle. */
  useMode(mode: Mode): Promise<void> {
    return this.#turns.take(async () => {
      this.#mode = passModeGate(mode, this.#options.ceiling ?? 'enforce');
      await this.#hold();
    });
  }

  /** Decisions that the new guard would refuse are lifted. Throws where the guard is not one; the old one stays then. */
  async useGuard(guard: Guard): Promise<readonly DecisionEvent[]> {
    checkGuard(guard);
    return this.#turns.take(async () => {
      // a host with containers changes its routes all the time, and seldom what the guard protects
      if (isDeepStrictEqual(guard, this.#guard) && this.#kernel.problem === undefined) return [];
      this.#guard = guard;
      const refused = this.#options.store.all().flatMap((decision) => {
        const parsed = parseDecisionValue(decision.scope, decision.value);
        return parsed.ok && refuseByGuard(parsed.target, guard) !== undefined ? [decision.id] : [];
      });
      if (refused.length > 0) return this.#retract(refused, 'the guard protects it now');
      await this.#hold();
      return [];
    });
  }

  /** Ends what has run out, reads the kernel back and repairs it where it differs. Runs by itself every few seconds. */
  check(): Promise<void> {
    return this.#turns.take(async () => {
      const haveExpired = this.#endExpired();
      this.#keeper.noteSeen();
      await this.#kernel.check(this.#terms());
      // the kernel has forgotten them by itself, but looks for others where none is left
      if (haveExpired) await this.#hold();
    });
  }

  /** Stops reading back. What holds in the kernel stays there until its own end. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#checkSoon);
    await this.#watching?.[Symbol.asyncDispose]();
    await this.#turns.idle();
    this.#stopped.abort();
  }

  async #retract(ids: readonly string[], reason: string): Promise<readonly DecisionEvent[]> {
    const held = this.#keeper.lift(ids);
    for (const { id } of held) this.#kernel.unverified.delete(id);
    const problem = await this.#hold();
    const detail = problem === undefined ? reason : `${reason}; the kernel may hold it yet, tried again: ${problem}`;
    return held.map((decision) => this.#teller.tell(decision, 'retracted', detail));
  }

  #endExpired(): boolean {
    const expired = this.#keeper.takeExpired();
    for (const decision of expired) {
      this.#kernel.unverified.delete(decision.id);
      this.#teller.tell(decision, 'expired', null);
    }
    return expired.length > 0;
  }

  #terms(): Terms {
    return { mode: this.#mode, guard: this.#guard };
  }

  #hold(): Promise<string | undefined> {
    return this.#kernel.hold(this.#terms());
  }

  #skewMs(): number {
    return this.#options.skewMs?.() ?? 0;
  }

  /** Somebody took something out of the kernel; it may have been us. Looked at at once, but not at every line of it. */
  #noteChange(): void {
    this.#kernel.gap.noteChange();
    if (this.#stopped.signal.aborted) return;
    const inMs = this.#kernel.problem === undefined ? changeSettlesMs : retryMs;
    this.#checkSoon ??= setTimeout(() => {
      this.#checkSoon = undefined;
      void this.check();
    }, inMs);
  }
}
