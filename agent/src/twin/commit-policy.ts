/**
 * A policy under commit-confirm. Before anything is touched the gateway makes sure that it reaches its controller, and
 * waits where it does not: an outage is no lockout. Then what held before is on disk beside what is tried, the change is
 * applied and read back, and new connections must come through it in time; else what held before is put back. Whoever
 * dies in between finds at the next start what held before. On a full disk a change waits; the room to say what came of
 * one is taken before it is tried.
 */
import type { Logger } from 'pino';
import type { Policy, PolicyReported } from '@picket/shared/contract/twin';
import { PolicyLadder } from './policy-ladder.ts';
import { confirmWithin, isOutage, waitUntil, type ProveReachable, type Waiting } from './prove-policy.ts';
import { putBackPolicy, type PolicyTargets } from './put-back-policy.ts';
import type { ReportedState } from './reported-state.ts';
import { longestSavePauseMs, StateSaver } from './state-saver.ts';
import { textOfError } from './text-of-error.ts';
import { policyProblem } from './policy-problem.ts';
import type { DesiredVerifier } from './verify-desired.ts';

export interface PolicyCommitOptions {
  readonly verifier: DesiredVerifier;
  readonly state: ReportedState;
  readonly targets: PolicyTargets;
  readonly proveReachable: ProveReachable;
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
/** An outage in the middle of a change is tried again this often before it counts against the change. */
const maxAttempts = 3;
const defaultRetryMs = 1000;

export class PolicyCommit implements AsyncDisposable {
  readonly #options: PolicyCommitOptions;
  readonly #stop = new AbortController();
  readonly #saver: StateSaver;
  readonly #ladder: PolicyLadder;
  readonly #retryMs: number;
  #refused = 0;
  #wanted: Wanted | undefined;
  #overtaken = new AbortController();
  #running: Promise<void> | undefined;
  /** Proved, and not on disk yet. */
  #provedVersion: number | undefined;
  #arriving: Promise<void> = Promise.resolve();

  private constructor(options: PolicyCommitOptions) {
    this.#options = options;
    const { state, log, retryMs = defaultRetryMs, onChanged } = options;
    this.#retryMs = retryMs;
    this.#ladder = new PolicyLadder(onChanged);
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
      commit.#ladder.isConfirming = true;
      commit.#ladder.begin();
      commit.#ladder.rollBack(undone.version, undone.reason);
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
    return this.#ladder.isConfirming;
  }

  get reported(): PolicyReported {
    return this.#ladder.reported;
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
    if (policy.version === known && this.#ladder.rung.version === known) return this.#options.onChanged(); // the same again
    const problem = policyProblem(policy);
    if (problem !== undefined) return this.#refuse(policy.version, problem);
    this.#ladder.isConfirming = policy.confirm_within_seconds !== undefined;
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
        this.#ladder.climb(wanted.policy.version, 'failed', textOfError(error));
        this.#options.log.error({ err: error, version: wanted.policy.version }, 'a policy could not be taken');
      }
      if (this.#wanted === wanted) this.#wanted = undefined;
    }
  }

  async #commit(wanted: Wanted): Promise<void> {
    const { state, log } = this.#options;
    const { policy, kid, jws } = wanted;
    const { version, confirm_within_seconds: seconds } = policy;
    this.#ladder.begin();
    for (let attempt = 1; ; attempt += 1) {
      this.#ladder.climb(
        version,
        'validated',
        attempt === 1 ? null : 'the controller went away while it was tried; once more',
      );
      if (seconds !== undefined && !(await this.#waitForController(version))) return;
      if (!(await this.#waitForRoom(wanted))) return;
      const applied = await this.#apply(policy);
      if (!applied) return;
      const missing = seconds === undefined ? undefined : await this.#confirm(seconds);
      if (this.#stop.signal.aborted && missing !== undefined) {
        await this.#putBack();
        state.abandon(); // it comes again at the next start, and is tried then
        return this.#saver.saveInTime();
      }
      if (missing === undefined) {
        state.acceptPolicy(kid, version, jws);
        this.#ladder.inForce = version;
        if (seconds !== undefined) this.#climbProved(version);
        this.#saver.saveInTime();
        return log.info({ version, mode: policy.mode }, 'the policy holds');
      }
      await this.#putBack();
      if (attempt < maxAttempts && (await isOutage(this.#options.proveReachable, this.#stop.signal))) {
        state.abandon();
        this.#saver.saveInTime();
        log.warn({ version, reason: missing }, 'the controller went away while a policy was tried; it waits for it');
        continue;
      }
      state.rollBack(kid, version, missing);
      this.#saver.saveInTime();
      this.#ladder.rollBack(version, missing);
      return log.error({ version, reason: missing }, 'a policy cut the gateway off; what held before holds again');
    }
  }

  /** False where it could not be applied: what held before holds, and the controller knows why. */
  async #apply(policy: Policy): Promise<boolean> {
    const { targets, state, log } = this.#options;
    try {
      await targets.applyPolicy(policy);
      this.#ladder.climb(policy.version, 'applied', null);
      const problem = await targets.verifyPolicy();
      this.#ladder.climb(policy.version, problem === undefined ? 'verified' : 'applied', problem ?? null);
      return true;
    } catch (error) {
      await this.#putBack();
      state.abandon();
      this.#saver.saveInTime();
      this.#ladder.climb(policy.version, 'failed', textOfError(error));
      log.error({ err: error, version: policy.version }, 'the policy cannot be applied; the one before stays');
      return false;
    }
  }

  /** False where a newer policy came or the agent ends, as the next. */
  #waitForController(version: number): Promise<boolean> {
    const { proveReachable } = this.#options;
    return this.#waitFor(version, 'the controller cannot be reached', {
      attempt: proveReachable,
      longestMs: longestRetryMs,
    });
  }

  #waitForRoom({ kid, jws, policy: { version } }: Wanted): Promise<boolean> {
    const { state } = this.#options;
    return this.#waitFor(version, 'it cannot be written down', {
      attempt: () => state.begin(kid, version, jws),
      longestMs: longestSavePauseMs,
    });
  }

  #waitFor(version: number, obstacle: string, waiting: Pick<Waiting, 'attempt' | 'longestMs'>): Promise<boolean> {
    const onObstacle = (reason: string): void => {
      const detail = `waits, for ${obstacle}: ${reason}`.slice(0, 500);
      if (this.#ladder.rung.detail !== detail) this.#ladder.climb(version, 'received', detail);
    };
    const signal = AbortSignal.any([this.#stop.signal, this.#overtaken.signal]);
    return waitUntil({ ...waiting, onObstacle, retryMs: this.#retryMs }, signal);
  }

  #confirm(seconds: number): Promise<string | undefined> {
    return confirmWithin(seconds * 1000, this.#options.proveReachable, this.#retryMs, this.#stop.signal);
  }

  /** `confirmed` is what outlives a power cut. */
  #climbProved(version: number): void {
    if (this.unsaved === 0) return this.#ladder.climb(version, 'confirmed', null);
    this.#provedVersion = version;
    this.#ladder.climb(version, 'verified', 'proved, but not on disk: a restart would undo it; free space there');
  }

  #noteSaved(): void {
    const { version, step } = this.#ladder.rung;
    if (version === this.#provedVersion && step === 'verified') this.#ladder.climb(version, 'confirmed', null);
    this.#provedVersion = undefined;
  }

  #putBack(): Promise<void> {
    return putBackPolicy({ ...this.#options, ladder: this.#ladder });
  }

  /** What is refused leaves the version that is told as it was. */
  #refuse(version: number, reason: string): void {
    this.#refused += 1;
    this.#options.log.error({ document: 'policy', version, reason }, 'a desired document was refused');
    this.#ladder.climb(this.#ladder.rung.version, 'refused', reason.slice(0, 500));
  }
}
