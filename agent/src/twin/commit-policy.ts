/**
 * A policy under commit-confirm. Before anything is touched the gateway makes sure that it reaches its controller, and
 * waits where it does not: an outage is no lockout. Then what held before is on disk beside what is tried, the change is
 * applied and read back, and new connections must come through it in time; else what held before is put back. Whoever
 * dies in between finds at the next start what held before. On a full disk a change waits; the room to say what came of
 * one is taken before it is tried.
 */
import type { Logger } from 'pino';
import type { Policy, PolicyReported, ReportedStep } from '@picket/shared/contract/twin';
import { abortableDelay } from './abortable-delay.ts';
import type { ReportedState } from './reported-state.ts';
import { longestSavePauseMs, StateSaver } from './state-saver.ts';
import { textOfError } from './text-of-error.ts';
import type { DesiredVerifier } from './verify-desired.ts';

/** What a policy acts on. */
export interface PolicyTargets {
  /** Makes this policy hold; rejects with the reason where it cannot. Repeatable. */
  applyPolicy(policy: Policy): Promise<void>;
  /** Makes what the gateway's own file says hold: what holds before the first policy, and after one that was not confirmed. */
  applyOwnSettings(): Promise<void>;
  /** Reads the kernel back; resolves with what it does not hold, for people, or undefined. */
  verifyPolicy(): Promise<string | undefined>;
}

export interface PolicyCommitOptions {
  readonly verifier: DesiredVerifier;
  readonly state: ReportedState;
  readonly targets: PolicyTargets;
  /** Resolves when broker and controller answered over connections that did not exist before; else rejects with why. */
  readonly proveReachable: (signal: AbortSignal) => Promise<void>;
  readonly onChanged: () => void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** First wait between two proofs; doubled up to a minute while the controller is away. */
  readonly retryMs?: number;
}

interface Wanted {
  readonly policy: Policy;
  readonly kid: string;
  readonly jws: string;
}

const longestRetryMs = 60_000;
/** Between two proofs while the time to confirm runs. */
const longestProofPauseMs = 5000;
/** An outage in the middle of a change is tried again this often before it counts against the change. */
const maxAttempts = 3;
const maxSteps = 16;

export class PolicyCommit implements AsyncDisposable {
  readonly #options: PolicyCommitOptions;
  readonly #stop = new AbortController();
  readonly #saver: StateSaver;
  #rung: PolicyReported = { version: 0, step: 'received', detail: 'nothing yet' };
  #inForce = 0;
  #steps: NonNullable<PolicyReported['steps']> = [];
  #isConfirming = false;
  #refused = 0;
  #wanted: Wanted | undefined;
  #overtaken = new AbortController();
  #running: Promise<void> | undefined;
  /** Proved, and not on disk yet. */
  #provedVersion: number | undefined;
  #arriving: Promise<void> = Promise.resolve();

  private constructor(options: PolicyCommitOptions) {
    this.#options = options;
    const { state, log, retryMs = 1000 } = options;
    this.#saver = new StateSaver({ state, log, retryMs, onSaved: () => this.#noteSaved() });
  }

  /** Puts in force what held last: before any controller answers, and without what was not confirmed when the agent ended. */
  static async open(options: PolicyCommitOptions): Promise<PolicyCommit> {
    const commit = new PolicyCommit(options);
    const { state } = options;
    const pending = state.pending();
    if (pending !== undefined) {
      const reason = `the agent ended before version ${pending.version} was confirmed`;
      options.log.warn({ version: pending.version }, `${reason}; what held before holds again`);
      state.rollBack(pending.kid, pending.version, reason);
    }
    commit.#saver.saveInTime();
    const jws = state.policy();
    if (jws !== undefined) await commit.#putBack();
    const undone = state.rolledBack();
    if (undone !== undefined) {
      commit.#isConfirming = true;
      commit.#steps = [];
      commit.#climb(undone.version, 'rolled_back', commit.#undone(undone.reason));
    }
    return commit;
  }

  /** Policies that were refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** What became of policies and is not on disk: a restart would know nothing of it. */
  get unsaved(): number {
    return this.#options.state.unsaved;
  }

  /** The controller asked for confirmation, so it understands what is reported with it. */
  get isConfirming(): boolean {
    return this.#isConfirming;
  }

  get reported(): PolicyReported {
    return this.#isConfirming ? { ...this.#rung, in_force: this.#inForce, steps: this.#steps } : this.#rung;
  }

  /** Compact JWS as received; returns at once. */
  take(jws: string): void {
    this.#arriving = this.#arriving
      .then(() => this.#admit(jws))
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'a policy could not be taken'));
  }

  /** A change that is being tried is put back first: nobody would be there to do it later. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#arriving;
    this.#stop.abort();
    await this.#running;
    await this.#saver[Symbol.asyncDispose]();
  }

  async #admit(jws: string): Promise<void> {
    const verified = await this.#options.verifier.policy(jws, Date.now());
    if (!verified.ok) return this.#refuse(0, verified.reason);
    const { document: policy, kid } = verified;
    const known = this.#options.state.version(kid, 'policy');
    const newest = Math.max(known, this.#wanted?.kid === kid ? this.#wanted.policy.version : 0);
    if (policy.version < newest)
      return this.#refuse(policy.version, `version ${policy.version} is older than ${newest}`);
    if (this.#wanted?.kid === kid && policy.version === newest) return; // on its way
    if (policy.version === known && this.#rung.version === known) return this.#options.onChanged(); // the same again
    this.#isConfirming = policy.confirm_within_seconds !== undefined;
    this.#wanted = { policy, kid, jws };
    this.#overtaken.abort();
    this.#running ??= this.#commitAll().finally(() => {
      this.#running = undefined;
    });
  }

  async #commitAll(): Promise<void> {
    while (!this.#stop.signal.aborted && this.#wanted !== undefined) {
      const wanted = this.#wanted;
      this.#overtaken = new AbortController();
      try {
        await this.#commit(wanted);
      } catch (error) {
        this.#climb(wanted.policy.version, 'failed', textOfError(error));
        this.#options.log.error({ err: error, version: wanted.policy.version }, 'a policy could not be taken');
      }
      if (this.#wanted === wanted) this.#wanted = undefined;
    }
  }

  async #commit(wanted: Wanted): Promise<void> {
    const { state, log } = this.#options;
    const { policy, kid, jws } = wanted;
    const { version, confirm_within_seconds: seconds } = policy;
    this.#steps = [];
    for (let attempt = 1; ; attempt += 1) {
      this.#climb(
        version,
        'validated',
        attempt === 1 ? null : 'the controller went away while it was tried; once more',
      );
      if (seconds !== undefined && !(await this.#waitForController(version))) return;
      if (!(await this.#waitForRoom(wanted))) return;
      const applied = await this.#apply(policy);
      if (!applied) return;
      const missing = seconds === undefined ? undefined : await this.#confirm(seconds * 1000);
      if (this.#stop.signal.aborted && missing !== undefined) {
        await this.#putBack();
        state.abandon(); // it comes again at the next start, and is tried then
        return this.#saver.saveInTime();
      }
      if (missing === undefined) {
        state.acceptPolicy(kid, version, jws);
        this.#inForce = version;
        if (seconds !== undefined) this.#climbProved(version);
        this.#saver.saveInTime();
        return log.info({ version, mode: policy.mode }, 'the policy holds');
      }
      await this.#putBack();
      if (attempt < maxAttempts && (await this.#isOutage())) {
        state.abandon();
        this.#saver.saveInTime();
        log.warn({ version, reason: missing }, 'the controller went away while a policy was tried; it waits for it');
        continue;
      }
      state.rollBack(kid, version, missing);
      this.#saver.saveInTime();
      this.#climb(version, 'rolled_back', this.#undone(missing));
      return log.error({ version, reason: missing }, 'a policy cut the gateway off; what held before holds again');
    }
  }

  /** False where it could not be applied: what held before holds, and the controller knows why. */
  async #apply(policy: Policy): Promise<boolean> {
    const { targets, state, log } = this.#options;
    try {
      await targets.applyPolicy(policy);
      this.#climb(policy.version, 'applied', null);
      const problem = await targets.verifyPolicy();
      this.#climb(policy.version, problem === undefined ? 'verified' : 'applied', problem ?? null);
      return true;
    } catch (error) {
      await this.#putBack();
      state.abandon();
      this.#saver.saveInTime();
      this.#climb(policy.version, 'failed', textOfError(error));
      log.error({ err: error, version: policy.version }, 'the policy cannot be applied; the one before stays');
      return false;
    }
  }

  /** False where a newer policy came or the agent ends, as the next two. */
  #waitForController(version: number): Promise<boolean> {
    const { proveReachable } = this.#options;
    return this.#waitFor(version, 'the controller cannot be reached', longestRetryMs, proveReachable);
  }

  #waitForRoom({ kid, jws, policy: { version } }: Wanted): Promise<boolean> {
    const { state } = this.#options;
    return this.#waitFor(version, 'it cannot be written down', longestSavePauseMs, () =>
      state.begin(kid, version, jws),
    );
  }

  async #waitFor(
    version: number,
    obstacle: string,
    longestMs: number,
    attempt: (signal: AbortSignal) => Promise<void> | void,
  ): Promise<boolean> {
    const signal = AbortSignal.any([this.#stop.signal, this.#overtaken.signal]);
    let wait = this.#options.retryMs ?? 1000;
    while (!signal.aborted) {
      try {
        const underWay = attempt(signal);
        if (underWay === undefined) return true; // done at once: nothing can have come in between
        await underWay;
        return !signal.aborted;
      } catch (error) {
        if (signal.aborted) return false;
        const detail = `waits, for ${obstacle}: ${textOfError(error)}`.slice(0, 500);
        if (this.#rung.detail !== detail) this.#climb(version, 'received', detail);
      }
      await abortableDelay(wait * (0.75 + Math.random() / 2), signal);
      wait = Math.min(longestMs, wait * 2);
    }
    return false;
  }

  /** `confirmed` is what outlives a power cut. */
  #climbProved(version: number): void {
    if (this.unsaved === 0) return this.#climb(version, 'confirmed', null);
    this.#provedVersion = version;
    this.#climb(version, 'verified', 'proved, but not on disk: a restart would undo it; free space there');
  }

  #noteSaved(): void {
    const { version, step } = this.#rung;
    if (version === this.#provedVersion && step === 'verified') this.#climb(version, 'confirmed', null);
    this.#provedVersion = undefined;
  }

  /** Undefined once the controller answered over new connections; else why it did not, when the time was up. */
  async #confirm(withinMs: number): Promise<string | undefined> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), withinMs);
    const signal = AbortSignal.any([this.#stop.signal, deadline.signal]);
    let reason = 'no answer';
    let wait = this.#options.retryMs ?? 1000;
    try {
      while (!signal.aborted) {
        try {
          await this.#options.proveReachable(signal);
          return undefined;
        } catch (error) {
          if (!signal.aborted) reason = textOfError(error);
        }
        await abortableDelay(wait, signal);
        wait = Math.min(longestProofPauseMs, wait * 2);
      }
      return `not confirmed within ${withinMs / 1000} s: ${reason}`;
    } finally {
      clearTimeout(timer);
    }
  }

  /** With what held before back in place: does nobody answer even so? Then the change is not to blame. */
  async #isOutage(): Promise<boolean> {
    try {
      await this.#options.proveReachable(this.#stop.signal);
      return false;
    } catch {
      return !this.#stop.signal.aborted;
    }
  }

  async #putBack(): Promise<void> {
    try {
      await this.#restore();
    } catch (error) {
      this.#options.log.error(
        { err: error },
        'what held before cannot be put back whole; it is tried again at the next start',
      );
    }
  }

  /** It was accepted before; that it may have expired since does not undo it. */
  async #restore(): Promise<void> {
    const { state, verifier, targets, log } = this.#options;
    const jws = state.policy();
    const verified = jws === undefined ? undefined : await verifier.policy(jws, -Infinity);
    if (verified?.ok !== true) {
      if (verified !== undefined)
        log.warn({ reason: verified.reason }, 'the policy of the controller before is not taken over');
      this.#inForce = 0;
      return targets.applyOwnSettings();
    }
    const policy = verified.document;
    this.#isConfirming ||= policy.confirm_within_seconds !== undefined;
    await targets.applyPolicy(policy);
    this.#inForce = policy.version;
    if (this.#rung.version > 0) return; // a newer one is being tried or undone: its own story is told
    const problem = await targets.verifyPolicy();
    const reached = policy.confirm_within_seconds === undefined ? 'verified' : 'confirmed';
    this.#climb(policy.version, problem === undefined ? reached : 'applied', problem ?? null);
  }

  #undone(reason: string): string {
    const held = this.#inForce === 0 ? "the gateway's own settings hold" : `version ${this.#inForce} holds`;
    return `${held} again: ${reason}`.slice(0, 500);
  }

  /** What is refused leaves the version that is told as it was. */
  #refuse(version: number, reason: string): void {
    this.#refused += 1;
    this.#options.log.error({ document: 'policy', version, reason }, 'a desired document was refused');
    this.#climb(this.#rung.version, 'refused', reason.slice(0, 500));
  }

  #climb(version: number, step: ReportedStep, detail: string | null): void {
    const isNews = version !== this.#rung.version || step !== this.#rung.step;
    this.#rung = { version, step, detail };
    if (isNews) this.#steps = [...this.#steps, { step, at: new Date().toISOString() }].slice(-maxSteps);
    this.#options.onChanged();
  }
}
