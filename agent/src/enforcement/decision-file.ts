/**
 * The decision store's SQL and nothing else: what was there at the start, and each change whole and synced, or not at all.
 * Which clock an end goes by is decided in `decision-ends.ts`. Every call may throw what SQLite throws.
 */
import Database from 'better-sqlite3';
import { maxDecisionSeconds, type Decision } from '@picket/shared/contract/decision';
import { decisionSchema, putRows, type DecisionRow, type LifeRow } from './decision-rows.ts';

/** A decision's end by time since boot. */
export interface DecisionEnd {
  readonly id: string;
  readonly endsUptimeMs: number;
  /** It was restored after a reboot. */
  readonly isUnsure: boolean;
}

/** What is written in one transaction. */
export interface DecisionChanges {
  /** As they are to be read after a reboot: their ends by the wall clock. */
  readonly held: readonly Decision[];
  readonly ends: readonly DecisionEnd[];
  readonly removed: readonly string[];
  readonly lifted: readonly (readonly [id: string, atMs: number])[];
  /** Undefined where there is no clock to say it by. */
  readonly life: LifeRow | undefined;
}

/** Of 4 KiB: ten thousand decisions are synced once, and moved to their place after the kernel has heard of them. */
const checkpointPages = 2000;

export class DecisionFile implements Disposable {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Made when missing. */
  static open(path: string): DecisionFile {
    return new DecisionFile(new Database(path));
  }

  /** Before anything else is asked of it. Throws where the file is no database. */
  makeTables(): void {
    this.#database.pragma('journal_mode = WAL');
    this.#database.pragma('synchronous = FULL');
    this.#database.pragma(`wal_autocheckpoint = ${checkpointPages}`);
    this.#database.exec(decisionSchema);
  }

  /** The run of the agent that had the file last. */
  life(): LifeRow | undefined {
    return this.#database.prepare('SELECT * FROM life').get() as LifeRow | undefined;
  }

  rows(): readonly DecisionRow[] {
    return this.#database
      .prepare('SELECT body, ends_uptime_ms, is_unsure FROM decision LEFT JOIN decision_end USING (id) ORDER BY id')
      .all() as readonly DecisionRow[];
  }

  /** Those of these ids that were lifted; asked for thousands at once. */
  liftedAmong(ids: readonly string[]): readonly string[] {
    return this.#database
      .prepare('SELECT id FROM lifted WHERE id IN (SELECT value FROM json_each(?))')
      .pluck()
      .all(JSON.stringify(ids)) as readonly string[];
  }

  write({ held, ends, removed, lifted, life }: DecisionChanges): void {
    this.#database.transaction(() => {
      this.#put(held);
      this.#putEnds(ends);
      if (removed.length > 0) this.#remove(removed);
      if (lifted.length > 0) this.#lift(lifted);
      if (life !== undefined) this.#putLife(life);
    })();
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #put(held: readonly Decision[]): void {
    const rows = held.map((decision) => [decision.id, Date.parse(decision.expires_at), JSON.stringify(decision)]);
    putRows(this.#database, 'decision (id, expires_at_ms, body)', rows);
  }

  #putEnds(ends: readonly DecisionEnd[]): void {
    const rows = ends.map(({ id, endsUptimeMs, isUnsure }) => [id, endsUptimeMs, isUnsure ? 1 : 0]);
    putRows(this.#database, 'decision_end (id, ends_uptime_ms, is_unsure)', rows);
  }

  #remove(ids: readonly string[]): void {
    const remove = this.#database.prepare('DELETE FROM decision WHERE id = ?');
    const removeEnd = this.#database.prepare('DELETE FROM decision_end WHERE id = ?');
    for (const id of ids) {
      remove.run(id);
      removeEnd.run(id);
    }
  }

  /** Remembered for as long as any decision may last. */
  #lift(lifted: DecisionChanges['lifted']): void {
    const remember = this.#database.prepare('INSERT OR REPLACE INTO lifted (id, at_ms) VALUES (?, ?)');
    for (const [id, atMs] of lifted) remember.run(id, atMs);
    const newestMs = Math.max(...lifted.map(([, atMs]) => atMs));
    this.#database.prepare('DELETE FROM lifted WHERE at_ms < ?').run(newestMs - maxDecisionSeconds * 1000);
  }

  #putLife({ boot_id, uptime_ms, wall_ms, is_running, unexpected_ends }: LifeRow): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO life VALUES (1, ?, ?, ?, ?, ?)')
      .run(boot_id, uptime_ms, wall_ms, is_running, unexpected_ends);
  }
}
