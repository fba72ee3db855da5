/**
 * The log of decisions, as the controller sends it: deltas in order, orders to unblock, and the signed snapshot that makes
 * good what was missed. What is refused is reported with the reason, and changes nothing.
 */
import type { Logger } from 'pino';
import type { Decision, DecisionEvent } from '@picket/shared/contract/decision';
import type { DecisionsMessage, ReportedStep } from '@picket/shared/contract/twin';
import type { UnblockOrder, UnblockProof } from '@picket/shared/contract/unblock';
import { abortableDelay } from './abortable-delay.ts';
import type { ReportedState } from './reported-state.ts';
import { textOfError } from './text-of-error.ts';
import type { DesiredVerifier, Verified } from './verify-desired.ts';

/** What decisions of the controller act on. */
export interface DecisionTargets {
  /** Admits decisions under the guard; an event for each that was new. */
  addDecisions(decisions: readonly Decision[]): Promise<readonly DecisionEvent[]>;
  /** Lifts decisions by id; unknown ids are remembered as lifted. */
  removeDecisions(ids: readonly string[], reason: string): Promise<unknown>;
  /** Ids of decisions, of whatever origin, that should be in the kernel and are not (yet). */
  missingDecisions(): ReadonlySet<string>;
  /** Lifts what restricts this and reads the kernel back. */
  unblock(order: UnblockOrder): Promise<UnblockProof>;
  /** Hands the proof to the outbox. */
  proveUnblock(proof: UnblockProof): void;
}

export interface DecisionFollowerOptions {
  readonly verifier: DesiredVerifier;
  readonly state: ReportedState;
  readonly targets: DecisionTargets;
  /** GET of the signed snapshot. */
  readonly fetchSnapshot: (signal: AbortSignal) => Promise<string>;
  readonly onChanged: () => void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** First wait after a snapshot that could not be fetched; doubled up to a minute. */
  readonly retryMs?: number;
}

export interface DecisionsRung {
  readonly version: number;
  readonly step: ReportedStep;
  readonly detail: string | null;
}

const maxWaiting = 64;
const longestRetryMs = 60_000;

export class DecisionFollower implements AsyncDisposable {
  readonly #options: DecisionFollowerOptions;
  readonly #stop = new AbortController();
  #rung: DecisionsRung = { version: 0, step: 'received', detail: 'nothing yet' };
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;
  #refused = 0;
  #catchingUp: Promise<void> | undefined;

  constructor(options: DecisionFollowerOptions) {
    this.#options = options;
  }

  /** Documents that were refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Where the log stands here; `verified` only while the kernel holds all of it that it should. */
  get rung(): DecisionsRung {
    const missing = this.#rung.step === 'verified' ? this.#options.targets.missingDecisions() : none;
    if (missing.size === 0) return this.#rung;
    const count = missing.intersection(this.#options.state.fleetDecisions()).size;
    return count === 0 ? this.#rung : { ...this.#rung, step: 'applied', detail: `${count} not in the kernel yet` };
  }

  /** Compact JWS as received. */
  take(jws: string): void {
    if (this.#waiting >= maxWaiting) return this.#catchUp(); // the snapshot says it all at once
    void this.#inTurn(() => this.#takeDecisions(jws));
  }

  /** A snapshot that is being fetched is given up; what was taken is applied first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
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
    await this.#applyDecisions(kid, document, {
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
    if (document.type !== 'snapshot') return this.#refuse(this.#rung.version, 'not a snapshot');
    const known = this.#options.state.version(kid, 'decisions');
    if (document.version < known)
      return this.#refuse(document.version, `the snapshot is at ${document.version}, behind ${known}`);
    const wanted = new Set<string>(document.decisions.map((decision) => decision.id));
    const gone = [...this.#options.state.fleetDecisions()].filter((id) => !wanted.has(id));
    await this.#applyDecisions(kid, document, {
      added: document.decisions,
      removed: [...gone, ...document.lifted],
    });
  }

  /** Lifts first: a decision may be replaced by a gentler one in the same step. */
  async #applyDecisions(
    kid: string,
    { version, issued_at }: Pick<DecisionsMessage, 'issued_at'> & { readonly version: number },
    change: { readonly added: readonly Decision[]; readonly removed: readonly string[] },
  ): Promise<void> {
    const { targets, state } = this.#options;
    const removed = new Set(change.removed);
    const nowMs = Date.now();
    const wanted = change.added.filter(({ id }) => !removed.has(id));
    const added = wanted.filter(({ expires_at }) => Date.parse(expires_at) > nowMs);
    const late = wanted.filter(
      ({ expires_at }) => Date.parse(expires_at) <= nowMs && Date.parse(expires_at) > Date.parse(issued_at),
    );
    try {
      if (change.removed.length > 0) await targets.removeDecisions(change.removed, 'lifted at the controller');
      const events =
        added.length > 0 ? await targets.addDecisions(added.map((each) => endingInTime(each, issued_at, nowMs))) : [];
      state.acceptDecisions(kid, version, { added, removed: change.removed });
      this.#climb({ version, ...outcomeOf(events, late.length) });
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
        if (this.#rung.step !== 'failed') return;
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
    this.#climb({ version: this.#rung.version, step: 'refused', detail: reason.slice(0, 500) });
  }

  #climb(rung: DecisionsRung): void {
    this.#rung = rung;
    this.#options.onChanged();
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

const none: ReadonlySet<string> = new Set();

/**
 * A clock that is late (it has no battery, and nobody set it yet) would make a decision last longer by as much: from now
 * on it lasts no longer than from when it was sent (by the controller's clock, as its end is).
 */
function endingInTime(decision: Decision, issuedAt: string, nowMs: number): Decision {
  const lateByMs = Date.parse(issuedAt) - nowMs;
  if (!(lateByMs > 0)) return decision;
  return { ...decision, expires_at: new Date(Date.parse(decision.expires_at) - lateByMs).toISOString() };
}

/** `late`: how many were not over when they were sent, and are by the clock of this gateway. */
function outcomeOf(
  events: readonly DecisionEvent[],
  late: number,
): { readonly step: ReportedStep; readonly detail: string | null } {
  const refused = events.filter((event) => event.state === 'refused');
  const first = refused[0];
  const details = [
    ...(first === undefined ? [] : [`${refused.length} refused: ${first.decision.value}: ${first.detail ?? ''}`]),
    ...(late === 0 ? [] : [`${late} had run out when they came; is the clock of this gateway right?`]),
  ];
  return { step: 'verified', detail: details.length === 0 ? null : details.join('; ').slice(0, 500) };
}
