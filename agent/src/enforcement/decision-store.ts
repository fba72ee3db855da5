/**
 * What should hold now, on disk: a change is synced before anybody is told that it holds, so that an agent that was
 * killed comes back with the same decisions, the time each has left, and the memory of what a person lifted.
 *
 * A decision's end is stored as time since boot, which no setting of the clock moves. After a reboot the time left is
 * what was left when the machine was last seen running, less what the wall clock says has passed since; and where the
 * wall clock later says that a decision's time is over, it is over. So no end is ever put off.
 */
import Database from 'better-sqlite3';
import { maxDecisionSeconds, type Decision } from '@picket/shared/contract/decision';
import { decisionSchema, putRows, readDecision, type DecisionRow, type LifeRow } from './decision-rows.ts';
import { shiftDecision } from './shift-decision.ts';
import type { SteadyClock } from './steady-clock.ts';
import { restoreEnd } from './time-left.ts';

export interface DecisionStoreOptions {
  /** SQLite file, made when missing; `:memory:` for a run that leaves nothing behind. */
  readonly path: string;
  /** What `expires_at` of the decisions goes by. Left out: they end by their own text, whatever happens to clocks. */
  readonly clock?: SteadyClock;
}

export class DecisionStore implements Disposable {
  readonly #database: Database.Database;
  readonly #clock: SteadyClock | undefined;
  readonly #decisions = new Map<string, Decision>();
  /** Of decisions restored after a reboot: their end by the wall clock, milliseconds since 1970. */
  readonly #unsure = new Map<string, number>();
  /** What the disk does not know yet, by id: made, changed, removed, or lifted (when). Stays where the disk will not. */
  readonly #unsaved = new Map<string, 'new' | 'changed' | 'removed' | number>();
  /** What the wall clock has more than the decisions, as their ends on disk were written by; 0 as long as it was not set. */
  #storedSkewMs = 0;
  #unreadable = 0;
  #unexpectedEnds = 0;

  private constructor(database: Database.Database, clock: SteadyClock | undefined) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Throws where the file cannot be opened or is no database. */
  static open(options: DecisionStoreOptions): DecisionStore {
    const database = new Database(options.path);
    try {
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      database.pragma(`wal_autocheckpoint = ${checkpointPages}`);
      database.exec(decisionSchema);
      const store = new DecisionStore(database, options.clock);
      store.#load();
      return store;
    } catch (error) {
      database.close();
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
    if (this.#unsure.size === 0 || this.#clock === undefined) return [];
    const wallMs = this.#clock.wallMs();
    return [...this.#unsure].filter(([, endsAtMs]) => endsAtMs <= wallMs).map(([id]) => id);
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
    const lifted = this.#database
      .prepare('SELECT id FROM lifted WHERE id IN (SELECT value FROM json_each(?))')
      .pluck()
      .all(JSON.stringify(ids)) as readonly string[];
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
    this.#database.close();
  }

  #forget(id: string): void {
    this.#decisions.delete(id);
    this.#unsure.delete(id);
  }

  /**
   * Whatever is written says what time the wall clock has, by which the ends of all the others are read after a reboot:
   * where that clock was set, they are to be written in the same breath.
   */
  #followClock(): void {
    const skewMs = this.#clock?.skewMs() ?? 0;
    if (Math.abs(skewMs - this.#storedSkewMs) < sameEndMs) return;
    this.#storedSkewMs = skewMs;
    for (const id of this.#decisions.keys()) if (!this.#unsaved.has(id)) this.#unsaved.set(id, 'changed');
  }

  /** Everything that the disk does not know yet, or nothing of it. */
  #save(isRunning = true): void {
    this.#followClock();
    const removed: string[] = [];
    const lifted: (readonly [id: string, atMs: number])[] = [];
    const held: Decision[] = [];
    for (const [id, change] of this.#unsaved) {
      const decision = this.#decisions.get(id);
      if (decision !== undefined) held.push(decision);
      else removed.push(id);
      if (typeof change === 'number') lifted.push([id, change]);
    }
    this.#database.transaction(() => {
      if (held.length > 0) this.#write(held);
      if (removed.length > 0) this.#writeRemoved(removed);
      if (lifted.length > 0) this.#writeLifted(lifted);
      this.#writeLife(isRunning);
    })();
    this.#unsaved.clear();
  }

  #writeRemoved(ids: readonly string[]): void {
    const remove = this.#database.prepare('DELETE FROM decision WHERE id = ?');
    const removeEnd = this.#database.prepare('DELETE FROM decision_end WHERE id = ?');
    for (const id of ids) {
      remove.run(id);
      removeEnd.run(id);
    }
  }

  #writeLifted(lifted: readonly (readonly [id: string, atMs: number])[]): void {
    const remember = this.#database.prepare('INSERT OR REPLACE INTO lifted (id, at_ms) VALUES (?, ?)');
    for (const [id, atMs] of lifted) remember.run(id, atMs);
    const newestMs = Math.max(...lifted.map(([, atMs]) => atMs));
    this.#database.prepare('DELETE FROM lifted WHERE at_ms < ?').run(newestMs - maxDecisionSeconds * 1000);
  }

  #write(decisions: readonly Decision[]): void {
    putRows(
      this.#database,
      'decision (id, expires_at_ms, body)',
      decisions.map((decision) => {
        const byWall = shiftDecision(decision, this.#storedSkewMs);
        const wallMs = this.#unsure.get(decision.id);
        const body = wallMs === undefined ? byWall : { ...byWall, expires_at: new Date(wallMs).toISOString() };
        return [decision.id, Date.parse(body.expires_at), JSON.stringify(body)];
      }),
    );
    this.#writeEnds(decisions);
  }

  /** By time since boot, where there is such a clock. */
  #writeEnds(decisions: readonly Decision[]): void {
    const clock = this.#clock;
    if (clock === undefined) return;
    const aheadMs = clock.uptimeMs() - clock.now();
    putRows(
      this.#database,
      'decision_end (id, ends_uptime_ms, is_unsure)',
      decisions.map(({ id, expires_at }) => [
        id,
        Math.floor(Date.parse(expires_at) + aheadMs),
        this.#unsure.has(id) ? 1 : 0,
      ]),
    );
  }

  #writeLife(isRunning = true): void {
    if (this.#clock === undefined) return;
    const { bootId } = this.#clock;
    this.#database
      .prepare('INSERT OR REPLACE INTO life VALUES (1, ?, ?, ?, ?, ?)')
      .run(bootId, this.#clock.uptimeMs(), this.#clock.wallMs(), isRunning ? 1 : 0, this.#unexpectedEnds);
  }

  #load(): void {
    const life = this.#database.prepare('SELECT * FROM life').get() as LifeRow | undefined;
    this.#unexpectedEnds = (life?.unexpected_ends ?? 0) + (life?.is_running === 1 ? 1 : 0);
    const rows = this.#database
      .prepare('SELECT body, ends_uptime_ms, is_unsure FROM decision LEFT JOIN decision_end USING (id) ORDER BY id')
      .all() as readonly DecisionRow[];
    const changed: Decision[] = [];
    const ends: Decision[] = [];
    for (const row of rows) {
      const stored = readDecision(row.body);
      if (stored === undefined) {
        this.#unreadable += 1;
        continue;
      }
      const decision = this.#restore(stored, row, life);
      this.#decisions.set(decision.id, decision);
      // a restart in the same boot finds thousands of rows as they should be
      if (decision !== stored) changed.push(decision);
      else if (
        row.ends_uptime_ms === null ||
        life?.boot_id !== this.#clock?.bootId ||
        this.#unsure.has(decision.id) !== (row.is_unsure === 1)
      )
        ends.push(decision);
    }
    if (this.#clock === undefined) return;
    this.#database.transaction(() => {
      this.#write(changed);
      this.#writeEnds(ends);
      this.#writeLife();
    })();
  }

  /** The decision with its end by the clock of this run. */
  #restore(stored: Decision, row: DecisionRow, life: LifeRow | undefined): Decision {
    const clock = this.#clock;
    if (clock === undefined) return stored;
    const end = restoreEnd(
      { byWallMs: Date.parse(stored.expires_at), uptimeMs: row.ends_uptime_ms, isUnsure: row.is_unsure === 1 },
      life,
      { bootId: clock.bootId, uptimeMs: clock.uptimeMs(), wallMs: clock.wallMs() },
    );
    if (end.isUnsure) this.#unsure.set(stored.id, Date.parse(stored.expires_at));
    const endsAtMs = Math.floor(clock.now() + end.leftMs);
    // a moment's difference is that of two readings: the text stays what everybody knows it as
    if (Math.abs(endsAtMs - Date.parse(stored.expires_at)) < sameEndMs) return stored;
    return { ...stored, expires_at: new Date(endsAtMs).toISOString() };
  }
}

const sameEndMs = 1000;
/** Of 4 KiB: ten thousand decisions are synced once, and moved to their place after the kernel has heard of them. */
const checkpointPages = 2000;
