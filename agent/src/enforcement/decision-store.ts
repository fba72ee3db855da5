/**
 * What should hold now, on disk: every change is synced before the kernel hears of it, so that an agent that was
 * killed comes back with the same decisions, the same ends, and the memory of what a person lifted.
 */
import Database from 'better-sqlite3';
import { Decision, maxDecisionSeconds } from '@picket/shared/contract/decision';

export interface DecisionStoreOptions {
  /** SQLite file, made when missing; `:memory:` for a run that leaves nothing behind. */
  readonly path: string;
}

const schema = `
  CREATE TABLE IF NOT EXISTS decision (id TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS lifted (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;
`;

export class DecisionStore implements Disposable {
  readonly #database: Database.Database;
  readonly #decisions = new Map<string, Decision>();
  #unreadable = 0;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Throws where the file cannot be opened or is no database. */
  static open(options: DecisionStoreOptions): DecisionStore {
    const database = new Database(options.path);
    try {
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      database.exec(schema);
      const store = new DecisionStore(database);
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

  all(): readonly Decision[] {
    return [...this.#decisions.values()];
  }

  get(id: string): Decision | undefined {
    return this.#decisions.get(id);
  }

  /** All of them or none. Where the disk will not take them this throws, and they are held in memory only. */
  put(decisions: readonly Decision[]): void {
    for (const decision of decisions) this.#decisions.set(decision.id, decision);
    const insert = this.#database.prepare('INSERT OR REPLACE INTO decision (id, expires_at_ms, body) VALUES (?, ?, ?)');
    this.#database.transaction(() => {
      for (const decision of decisions) {
        insert.run(decision.id, Date.parse(decision.expires_at), JSON.stringify(decision));
      }
    })();
  }

  /** Forgotten in memory even where the disk will not, which throws. */
  remove(ids: readonly string[]): void {
    for (const id of ids) this.#decisions.delete(id);
    const remove = this.#database.prepare('DELETE FROM decision WHERE id = ?');
    this.#database.transaction(() => {
      for (const id of ids) remove.run(id);
    })();
  }

  /** Removes them and remembers that they were lifted, for as long as any decision may last. */
  lift(ids: readonly string[], nowMs: number): void {
    for (const id of ids) this.#decisions.delete(id);
    const remember = this.#database.prepare('INSERT OR REPLACE INTO lifted (id, at_ms) VALUES (?, ?)');
    const forget = this.#database.prepare('DELETE FROM lifted WHERE at_ms < ?');
    this.#database.transaction(() => {
      for (const id of ids) remember.run(id, nowMs);
      forget.run(nowMs - maxDecisionSeconds * 1000);
      this.remove(ids);
    })();
  }

  isLifted(id: string): boolean {
    return this.#database.prepare('SELECT 1 FROM lifted WHERE id = ?').get(id) !== undefined;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #load(): void {
    for (const row of this.#database.prepare('SELECT body FROM decision ORDER BY id').all()) {
      const decision = readDecision((row as { readonly body: string }).body);
      if (decision === undefined) this.#unreadable += 1;
      else this.#decisions.set(decision.id, decision);
    }
  }
}

function readDecision(body: string): Decision | undefined {
  try {
    return Decision.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
