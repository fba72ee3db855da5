/** Desired state in, reported state out: the policy (commit-policy.ts) and the log of decisions (follow-decisions.ts), and where both stand. */
import type { Logger } from 'pino';
import type { Mode } from '@picket/shared/contract/decision';
import type { BundleReported, GuardedAddresses, Reported } from '@picket/shared/contract/twin';
import { PolicyCommit } from './commit-policy.ts';
import { DesiredReport } from './desired-report.ts';
import { DecisionFollower, type DecisionTargets } from './follow-decisions.ts';
import type { PolicyTargets } from './put-back-policy.ts';
import type { ReportedState } from './reported-state.ts';
import type { DesiredVerifier } from './verify-desired.ts';

/** What desired documents act on. */
export interface DesiredTargets extends PolicyTargets, DecisionTargets {
  /** What is so now. */
  facts(): {
    readonly mode: Mode;
    readonly model_version: string;
    readonly threshold: number;
    readonly in_force: number;
    readonly bundle?: BundleReported;
    readonly guarded?: GuardedAddresses;
  };
}

export interface DesiredStateOptions {
  readonly verifier: DesiredVerifier;
  readonly state: ReportedState;
  readonly targets: DesiredTargets;
  /** GET of the signed snapshot. */
  readonly fetchSnapshot: (signal: AbortSignal) => Promise<string>;
  /** As in `PolicyCommitOptions`. */
  readonly proveReachable: (signal: AbortSignal) => Promise<void>;
  /** May reject while nobody is there; the next connection tells again. */
  readonly sendReported: (reported: Reported) => Promise<void>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** First wait after a snapshot that could not be fetched, or a controller that did not answer; doubled up to a minute. */
  readonly retryMs?: number;
}

export class DesiredState implements AsyncDisposable {
  readonly #options: DesiredStateOptions;
  readonly #report: DesiredReport;
  readonly #decisions: DecisionFollower;
  #policy!: PolicyCommit; // `open` is the only way in

  private constructor(options: DesiredStateOptions) {
    this.#options = options;
    this.#report = new DesiredReport(() => this.reported, options.sendReported);
    this.#decisions = new DecisionFollower({ ...options, onChanged: () => this.#report.tell() });
  }

  /** Applies the policy that held before the restart, so that it holds before any controller answers. */
  static async open(options: DesiredStateOptions): Promise<DesiredState> {
    const desired = new DesiredState(options);
    let isOpen = false;
    const { verifier, state, targets, proveReachable, log, retryMs } = options;
    desired.#policy = await PolicyCommit.open({
      verifier,
      state,
      targets,
      proveReachable,
      onChanged: () => {
        if (isOpen) desired.#report.tell();
      },
      log,
      ...(retryMs === undefined ? {} : { retryMs }),
    });
    isOpen = true;
    return desired;
  }

  /** Documents that were refused since the start. */
  get refused(): number {
    return this.#decisions.refused + this.#policy.refused;
  }

  /** What became of policies and is not on disk. */
  get unsaved(): number {
    return this.#policy.unsaved;
  }

  get reported(): Reported {
    const { in_force, guarded, ...facts } = this.#options.targets.facts();
    return {
      at: new Date().toISOString(),
      policy: this.#policy.reported,
      decisions: { ...this.#decisions.rung, in_force },
      ...facts,
      ...(guarded === undefined || !this.#policy.isConfirming ? {} : { guarded }),
    };
  }

  onConnected(): void {
    this.#report.tell();
  }

  /** Compact JWS as received. */
  onPolicy(jws: string): void {
    this.#policy.take(jws);
  }

  /** Compact JWS as received. */
  onDecisions(jws: string): void {
    this.#decisions.take(jws);
  }

  /** What is so changed by other means: a decision ended, a model was changed. */
  onFactsChanged(): void {
    this.#report.tell();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#policy[Symbol.asyncDispose]();
    await this.#decisions[Symbol.asyncDispose]();
  }
}
