/**
 * What should hold now, on disk: a change is synced before anybody is told that it holds, so that an agent that was
 * killed comes back with the same decisions, the time each has left, and the memory of what a person lifted.
 */
import type { Decision } from '@picket/shared/contract/decision';
import { DecisionEnds } from './decision-ends.ts';
import { DecisionFile } from './decision-file.ts';
import { readDecision } from './decision-rows.ts';
import type { SteadyClock } from './steady-clock.ts';

export interface DecisionStoreOptions {
  /** SQLite file, made when missing; `:memory:` for a run that leaves nothing behind. */
  readonly path: string;
  /** What `expires_at` of the decisions goes by. Left out: they end by their own text, whatever happens to clocks. */
  readonly clock?: SteadyClock;
}

export class DecisionStore implements Disposable {
  readonly #file: DecisionFile;
  readonly #ends: DecisionEnds;
  readonly #decisions = new Map<string, Decision>();
  /** What the disk does not know yet, by id: made, changed, removed, or lifted (when). Stays where the disk will not. */
  readonly #unsaved = new Map<string, 'new' | 'changed' | 'removed' | number>();
  #unreadable = 0;
  #unexpectedEnds = 0;

  private constructor(file: DecisionFile, clock: SteadyClock | undefined) {
    this.#file = file;
    this.#ends = new DecisionEnds(clock);
  }

  /** Throws where the file cannot be opened or is no database. */
  static open(options: DecisionStoreOptions): DecisionStore {
    const file = DecisionFile.open(options.path);
    try {
      file.makeTables();
      const store = new DecisionStore(file, options.clock);
      store.#load();
      return store;
    } catch (error) {
      file[Symbol.dispose]();
      throw new Error(`${options.path}: the decisions cannot be read; move the file away to start without them`, {
        cause: error,
      });
    }
  }

  get size(): number {
    return this.#decisions.size;
  }

  /** Rows that no longer mean a decision and were left out. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** How often an agent with this store ended without being stopped: killed, crashed, or without power. */
  get unexpectedEnds(): number {
    return this.#unexpectedEnds;
  }

  /** Decisions whose last change is not on disk: a restart now would not know of it. */
  get unsaved(): number {
    return this.#unsaved.size;
  }

  all(): readonly Decision[] {
    return [...this.#decisions.values()];
  }

  get(id: string): Decision | undefined {
    return this.#decisions.get(id);
  }

  /** Ids of decisions that were restored after a reboot and whose end has passed by the wall clock. */
  overdue(): readonly string[] {
    return this.#ends.overdue();
  }

  /**
   * All of them or none. Where the disk will not take them this throws, and they are held in memory until it does: with
   * the next change, or when the agent is `seen`.
   */
  put(decisions: readonly Decision[]): void {
    this.note(decisions);
    this.#save();
  }

  /** Held in memory, and on disk with what is written next. */
  note(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      this.#decisions.set(decision.id, decision);
      this.#unsaved.set(decision.id, 'new');
    }
  }

  /** All that is not on disk yet. Throws where the disk will not; it is held in memory until it does. */
  save(): void {
    this.#save();
  }

  /** Forgotten in memory even where the disk will not, which throws. */
  remove(ids: readonly string[]): void {
    for (const id of ids) {
      this.#forget(id);
      if (this.#unsaved.get(id) === 'new') this.#unsaved.delete(id);
      else this.#unsaved.set(id, 'removed');
    }
    this.#save();
  }

  /** Removes them and remembers that they were lifted, for as long as any decision may last. Throws as `remove` does. */
  lift(ids: readonly string[], nowMs: number): void {
    for (const id of ids) {
      this.#forget(id);
      this.#unsaved.set(id, Math.round(nowMs));
    }
    this.#save();
  }

  /** Those of these ids that were lifted; asked for thousands at once. */
  liftedAmong(ids: readonly string[]): ReadonlySet<string> {
    const lifted = this.#file.liftedAmong(ids);
    return new Set([...lifted, ...ids.filter((id) => typeof this.#unsaved.get(id) === 'number')]);
  }

  /** The agent runs. To be called every `seenEveryMs` (time-left.ts) while anything is held. Throws where the disk will not. */
  seen(): void {
    this.#save();
  }

  /** Says on disk that the agent was stopped, and did not just end. */
  [Symbol.dispose](): void {
    try {
      this.#save(false);
    } catch {
      // a full disk: the next start takes this for an unexpected end
    }
    this.#file[Symbol.dispose]();
  }

  #forget(id: string): void {
    this.#decisions.delete(id);
    this.#ends.forget(id);
  }

  /** Everything that the disk does not know yet, or nothing of it. */
  #save(isRunning = true): void {
    const isWallSet = this.#ends.followWall();
    if (isWallSet)
      for (const id of this.#decisions.keys()) if (!this.#unsaved.has(id)) this.#unsaved.set(id, 'changed');
    const removed: string[] = [];
    const lifted: (readonly [id: string, atMs: number])[] = [];
    const held: Decision[] = [];
    for (const [id, change] of this.#unsaved) {
      const decision = this.#decisions.get(id);
      if (decision !== undefined) held.push(decision);
      else removed.push(id);
      if (typeof change === 'number') lifted.push([id, change]);
    }
    this.#file.write({
      held: held.map((decision) => this.#ends.byWall(decision)),
      ends: this.#ends.sinceBoot(held),
      removed,
      lifted,
      life: this.#ends.life(isRunning, this.#unexpectedEnds),
    });
    this.#unsaved.clear();
  }

  #load(): void {
    const before = this.#file.life();
    this.#unexpectedEnds = (before?.unexpected_ends ?? 0) + (before?.is_running === 1 ? 1 : 0);
    const changed: Decision[] = [];
    const ends: Decision[] = [];
    for (const row of this.#file.rows()) {
      const stored = readDecision(row.body);
      if (stored === undefined) {
        this.#unreadable += 1;
        continue;
      }
      const decision = this.#ends.restore(stored, row, before);
      this.#decisions.set(decision.id, decision);
      // a restart in the same boot finds thousands of rows as they should be
      if (decision !== stored) changed.push(decision);
      else if (!this.#ends.isAsStored(decision.id, row, before)) ends.push(decision);
    }
    const life = this.#ends.life(true, this.#unexpectedEnds);
    if (life === undefined) return;
    this.#file.write({
      held: changed.map((decision) => this.#ends.byWall(decision)),
      ends: this.#ends.sinceBoot([...changed, ...ends]),
      removed: [],
      lifted: [],
      life,
    });
  }
}
