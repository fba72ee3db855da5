/**
 * Desired state in, reported state out. A document climbs the ladder one rung at a time and says where it stands; what is
 * refused is reported with the reason, and changes nothing. Missed deltas are made good by the signed snapshot.
 */
import type { Logger } from 'pino';
import type { Decision, DecisionEvent, Mode } from '@picket/shared/contract/decision';
import type {
  BundleReported,
  DecisionsMessage,
  GuardedAddresses,
  Reported,
  ReportedStep,
} from '@picket/shared/contract/twin';
import type { UnblockOrder, UnblockProof } from '@picket/shared/contract/unblock';
import { abortableDelay } from './abortable-delay.ts';
import { PolicyCommit } from './commit-policy.ts';
import { DesiredReport } from './desired-report.ts';
import type { PolicyTargets } from './put-back-policy.ts';
import type { ReportedState } from './reported-state.ts';
import { textOfError } from './text-of-error.ts';
import type { DesiredVerifier, Verified } from './verify-desired.ts';

/** What desired documents act on. */
export interface DesiredTargets extends PolicyTargets {
  /** Admits decisions under the guard; an event for each that was new. */
  addDecisions(decisions: readonly Decision[]): Promise<readonly DecisionEvent[]>;
  /** Lifts decisions by id; unknown ids are remembered as lifted. */
  removeDecisions(ids: readonly string[], reason: string): Promise<unknown>;
  /** Lifts what restricts this and reads the kernel back. */
  unblock(order: UnblockOrder): Promise<UnblockProof>;
  /** Hands the proof to the outbox. */
  proveUnblock(proof: UnblockProof): void;
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

interface Rung {
  readonly version: number;
  readonly step: ReportedStep;
  readonly detail: string | null;
}

const maxWaiting = 64;
const longestRetryMs = 60_000;
const nothing: Rung = { version: 0, step: 'received', detail: 'nothing yet' };

export class DesiredState implements AsyncDisposable {
  readonly #options: DesiredStateOptions;
  readonly #stop = new AbortController();
  readonly #report: DesiredReport;
  #policy!: PolicyCommit; // `open` is the only way in
  #decisions: Rung = nothing;
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;
  #refused = 0;
  #catchingUp: Promise<void> | undefined;

  private constructor(options: DesiredStateOptions) {
    this.#options = options;
    this.#report = new DesiredReport(() => this.reported, options.sendReported);
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
    return this.#refused + this.#policy.refused;
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
      decisions: { ...this.#decisions, in_force },
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
    if (this.#waiting >= maxWaiting) return this.#catchUp(); // the snapshot says it all at once
    void this.#inTurn(() => this.#takeDecisions(jws));
  }

  /** What is so changed by other means: a decision ended, a model was changed. */
  onFactsChanged(): void {
    this.#report.tell();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#policy[Symbol.asyncDispose]();
    await this.#catchingUp;
    await this.#queue;
  }

  async #takeDecisions(jws: string): Promise<void> {
    const verified = await this.#options.verifier.decisions(jws, Date.now());
    if (!verified.ok) return this.#refuse(0, verified.reason);
    const { document, kid } = verified;
    const known = this.#options.state.version(kid, 'decisions');
    if (document.type === 'snapshot') return this.#refuse(document.version, 'a snapshot that nobody asked for');
    if (document.type === 'unblock') return this.#unblock(document.unblocks);
    if (document.type === 'head') {
      if (document.version < known)
        return this.#refuse(
          document.version,
          `the log is at ${document.version}, behind ${known}: was the controller restored from a backup?`,
        );
      if (document.version > known) return this.#catchUp();
      return this.#climb({ version: known, step: 'verified', detail: null });
    }
    if (document.version <= known) return; // heard before
    if (document.from_version !== known) return this.#catchUp();
    await this.#applyDecisions(kid, document.version, {
      added: document.changes.flatMap((change) => (change.op === 'add' ? [change.decision] : [])),
      removed: document.changes.flatMap((change) => (change.op === 'delete' ? [change.decision_id] : [])),
    });
  }

  /** Each is done once; one that comes again is answered as before, and one that failed is tried again. */
  async #unblock(orders: readonly UnblockOrder[]): Promise<void> {
    const { state, targets, log } = this.#options;
    for (const order of orders) {
      const known = state.unblockProof(order.id);
      const proof = known ?? (await targets.unblock(order));
      if (known === undefined && proof.outcome !== 'failed') state.rememberUnblock(proof);
      targets.proveUnblock(proof);
      log.info({ unblock: order.id, value: order.value, outcome: proof.outcome }, 'unblocked for the fleet');
    }
  }

  async #takeSnapshot(verified: Verified<DecisionsMessage>): Promise<void> {
    if (!verified.ok) return this.#refuse(0, verified.reason);
    const { document, kid } = verified;
    if (document.type !== 'snapshot') return this.#refuse(this.#decisions.version, 'not a snapshot');
    const known = this.#options.state.version(kid, 'decisions');
    if (document.version < known)
      return this.#refuse(document.version, `the snapshot is at ${document.version}, behind ${known}`);
    const wanted = new Set<string>(document.decisions.map((decision) => decision.id));
    const gone = [...this.#options.state.fleetDecisions()].filter((id) => !wanted.has(id));
    await this.#applyDecisions(kid, document.version, {
      added: document.decisions,
      removed: [...gone, ...document.lifted],
    });
  }

  /** Lifts first: a decision may be replaced by a gentler one in the same step. */
  async #applyDecisions(
    kid: string,
    version: number,
    change: { readonly added: readonly Decision[]; readonly removed: readonly string[] },
  ): Promise<void> {
    const { targets, state } = this.#options;
    const removed = new Set(change.removed);
    const added = change.added.filter(
      (decision) => !removed.has(decision.id) && Date.parse(decision.expires_at) > Date.now(),
    );
    try {
      if (change.removed.length > 0) await targets.removeDecisions(change.removed, 'lifted at the controller');
      const events = added.length > 0 ? await targets.addDecisions(added) : [];
      state.acceptDecisions(kid, version, { added, removed: change.removed });
      this.#climb({ version, ...outcomeOf(events) });
    } catch (error) {
      this.#climb({ version, step: 'failed', detail: textOfError(error) });
      this.#options.log.error({ err: error, version }, 'decisions of the controller cannot be applied; trying again');
      this.#catchUp();
    }
  }

  /** Fetches the snapshot, again and again until one was taken. Once at a time. */
  #catchUp(): void {
    this.#catchingUp ??= this.#fetchUntilTaken().finally(() => {
      this.#catchingUp = undefined;
    });
  }

  async #fetchUntilTaken(): Promise<void> {
    const { signal } = this.#stop;
    let wait = this.#options.retryMs ?? 1000;
    while (!signal.aborted) {
      try {
        const jws = await this.#options.fetchSnapshot(signal);
        const verified = await this.#options.verifier.decisions(jws, Date.now());
        await this.#inTurn(() => this.#takeSnapshot(verified));
        if (this.#decisions.step !== 'failed') return;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log.warn(
          { reason: textOfError(error) },
          'cannot fetch the decisions of the controller; trying again',
        );
      }
      await abortableDelay(wait * (0.75 + Math.random() / 2), signal);
      wait = Math.min(longestRetryMs, wait * 2);
    }
  }

  #refuse(version: number, reason: string): void {
    this.#refused += 1;
    this.#options.log.error({ document: 'decisions', version, reason }, 'a desired document was refused');
    this.#climb({ version: this.#decisions.version, step: 'refused', detail: reason.slice(0, 500) });
  }

  #climb(rung: Rung): void {
    this.#decisions = rung;
    this.#report.tell();
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    this.#waiting += 1;
    this.#queue = this.#queue
      .then(work)
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'a desired document could not be taken'))
      .finally(() => {
        this.#waiting -= 1;
      });
    await this.#queue;
  }
}

function outcomeOf(events: readonly DecisionEvent[]): { readonly step: ReportedStep; readonly detail: string | null } {
  const failed = events.find((event) => event.state === 'failed');
  const refused = events.filter((event) => event.state === 'refused');
  if (failed !== undefined)
    return { step: 'applied', detail: `not in the kernel yet: ${failed.detail ?? ''}`.slice(0, 500) };
  if (refused.length === 0) return { step: 'verified', detail: null };
  const first = refused[0];
  const detail = `${refused.length} refused: ${first?.decision.value ?? ''}: ${first?.detail ?? ''}`;
  return { step: 'verified', detail: detail.slice(0, 500) };
}
