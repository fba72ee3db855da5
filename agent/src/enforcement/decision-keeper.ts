/** Keeps decisions in the store. A disk that is full keeps no restriction from being made: it is held in memory then. */
import type { Logger } from 'pino';
import type { Decision } from '@picket/shared/contract/decision';
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import type { DecisionStore } from './decision-store.ts';
import { seenEveryMs } from './time-left.ts';

export interface DecisionKeeperOptions {
  /** Owned by the caller. */
  readonly store: DecisionStore;
  readonly log: Pick<Logger, 'warn'>;
  /** Milliseconds since 1970 by the clock that decisions end by. */
  readonly now: () => number;
}

export class DecisionKeeper {
  readonly #store: DecisionStore;
  readonly #log: DecisionKeeperOptions['log'];
  readonly #now: () => number;
  #seenAtMs = 0;

  constructor({ store, log, now }: DecisionKeeperOptions) {
    this.#store = store;
    this.#log = log;
    this.#now = now;
  }

  /** In memory; on the disk when it is told to `save`. */
  keep(decisions: readonly Decision[]): void {
    this.#store.note(decisions);
  }

  /** Writes down what is not on the disk yet. */
  save(): void {
    this.#write(() => this.#store.save());
  }

  /** Forgets them, and remembers that they were lifted; returns those that were held. */
  lift(ids: readonly string[]): readonly Decision[] {
    const held = ids.flatMap((id) => this.#store.get(id) ?? []);
    this.#write(() => this.#store.lift(ids, this.#now()));
    return held;
  }

  /** Of the one with this id, or of all with this value, however it is written. */
  idsNamed(idOrValue: string): readonly string[] {
    const canonical = new Map<string, string>();
    const valueAs = (scope: Decision['scope']): string => {
      const parsed = parseDecisionValue(scope, idOrValue);
      return parsed.ok ? parsed.value : idOrValue;
    };
    return this.#store
      .all()
      .filter(({ id, value, scope }) => {
        if (!canonical.has(scope)) canonical.set(scope, valueAs(scope));
        return id === idOrValue || value === canonical.get(scope);
      })
      .map(({ id }) => id);
  }

  /** Those of them that were lifted once. */
  liftedAmong(decisions: readonly Decision[]): ReadonlySet<string> {
    try {
      return this.#store.liftedAmong(decisions.map(({ id }) => id));
    } catch (error) {
      this.#log.warn(`whether a decision was lifted cannot be read: ${String(error)}`);
      return new Set();
    }
  }

  /** Forgets what has run out, and returns it. */
  takeExpired(): readonly Decision[] {
    const nowMs = this.#now();
    const overdue = new Set(this.#store.overdue());
    const expired = this.#store
      .all()
      .filter((decision) => !(Date.parse(decision.expires_at) > nowMs) || overdue.has(decision.id));
    if (expired.length > 0) this.#write(() => this.#store.remove(expired.map((decision) => decision.id)));
    return expired;
  }

  /** To be called every few seconds: says on disk that the agent runs, and writes what the disk would not take before. */
  noteSeen(): void {
    const { size, unsaved } = this.#store;
    const isDue = size > 0 && this.#now() - this.#seenAtMs >= seenEveryMs;
    if (!isDue && unsaved === 0) return;
    this.#seenAtMs = this.#now();
    this.#write(() => this.#store.seen());
  }

  #write(change: () => void): void {
    try {
      change();
    } catch (error) {
      const { unsaved } = this.#store;
      this.#log.warn(
        { unsaved },
        `decisions cannot be written down and would not survive a restart, tried again every few seconds: free space on the disk (${String(error)})`,
      );
    }
  }
}
