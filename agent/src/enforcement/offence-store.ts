/**
 * Who was restricted before, on disk: an offender that comes back after a restart of the agent is held longer all the
 * same, and what a person lifted is not asked for again because the agent forgot that it was. Without it the agent runs
 * as well as ever, and begins counting anew.
 */
import { renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Logger } from 'pino';
import { maxDecisionSeconds } from '@picket/shared/contract/decision';
import type { MeasureRecord } from '@picket/shared/policy/measures';

export interface OffenceStoreOptions {
  /** SQLite file, made when missing. */
  readonly path: string;
  readonly log: Pick<Logger, 'warn'>;
  /** Restrictions that are remembered; the oldest leaves for a new one. */
  readonly capacity?: number;
}

interface Row extends MeasureRecord {
  /** A person ended it. */
  readonly isLifted: boolean;
}

/** As a row of the table. */
type StoredRow = MeasureRecord & { readonly isLifted: number };

const schema = `
  -- by what was restricted; times in µs since 1970
  CREATE TABLE IF NOT EXISTS measure (
    key TEXT PRIMARY KEY, rule_id TEXT NOT NULL, who TEXT, since_us INTEGER NOT NULL, until_us INTEGER NOT NULL,
    times INTEGER NOT NULL, step INTEGER NOT NULL, is_lifted INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
const columns =
  'key, rule_id AS ruleId, who, since_us AS sinceUs, until_us AS untilUs, times, step, is_lifted AS isLifted';
/** No rule remembers anybody for longer after the end of his restriction. */
const forgottenAfterUs = maxDecisionSeconds * 1_000_000;
/** Nobody is in haste to forget: all are looked through once in so long. */
const sweepEveryUs = 60_000_000;

export class OffenceStore implements Disposable {
  readonly #database: Database.Database;
  readonly #log: OffenceStoreOptions['log'];
  readonly #capacity: number;
  readonly #rows = new Map<string, Row>();
  /** What the disk does not know yet; undefined: it is gone. */
  readonly #unsaved = new Map<string, Row | undefined>();
  #saving: NodeJS.Immediate | undefined;
  #sweptAtUs = Number.NEGATIVE_INFINITY;
  #hasWarned = false;

  private constructor(database: Database.Database, { log, capacity = 4096 }: OffenceStoreOptions) {
    this.#database = database;
    this.#log = log;
    this.#capacity = capacity;
  }

  /** One that is damaged is moved aside. Undefined, and told, where there can be none: that keeps no agent from starting. */
  static open(options: OffenceStoreOptions): OffenceStore | undefined {
    const { path, log } = options;
    try {
      return OffenceStore.#load(options);
    } catch (error) {
      log.warn(`${path}: who was restricted before is a stranger again: ${String(error)}`);
      const code = error instanceof Database.SqliteError ? error.code : '';
      if (!/^SQLITE_(?:CORRUPT|NOTADB|ERROR)/.test(code)) return undefined;
    }
    try {
      renameSync(path, `${path}.corrupt`);
      for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
      return OffenceStore.#load(options);
    } catch (error) {
      log.warn(`${path}: no new one can be made: ${String(error)}`);
      return undefined;
    }
  }

  static #load(options: OffenceStoreOptions): OffenceStore {
    const database = new Database(options.path);
    try {
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = NORMAL'); // a power cut may cost the last of it, never the file
      database.exec(schema);
      const store = new OffenceStore(database, options);
      const rows = database.prepare(`SELECT ${columns} FROM measure ORDER BY since_us`).all() as readonly StoredRow[];
      for (const row of rows) store.#rows.set(row.key, { ...row, isLifted: row.isLifted === 1 });
      return store;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Of all that were restricted. */
  known(): readonly MeasureRecord[] {
    return [...this.#rows.values()];
  }

  /** What people ended. */
  lifted(): readonly MeasureRecord[] {
    return [...this.#rows.values()].filter(({ isLifted }) => isLifted);
  }

  /** It holds, in the kernel. */
  keep(record: MeasureRecord): void {
    this.#put({ ...record, isLifted: false });
  }

  /** A person ended it, and so forgave its offender all that he did under the rule. */
  lift(record: MeasureRecord): void {
    const { ruleId, who } = record;
    for (const row of this.#rows.values()) {
      if (who !== null && row.ruleId === ruleId && row.who === who && row.times > 0) this.#put({ ...row, times: 0 });
    }
    this.#put({ ...record, times: 0, isLifted: true });
  }

  [Symbol.dispose](): void {
    this.#save();
    this.#database.close();
  }

  #put(row: Row): void {
    const whole: Row = { ...row, sinceUs: Math.round(row.sinceUs), untilUs: Math.round(row.untilUs) };
    const known = this.#rows.get(row.key);
    if (known !== undefined && isSame(known, whole)) return; // each start tells of all that is held
    this.#rows.delete(row.key);
    this.#rows.set(row.key, whole);
    this.#unsaved.set(row.key, whole);
    for (const key of this.#rows.keys()) {
      if (this.#rows.size <= this.#capacity) break;
      this.#drop(key);
    }
    if (Math.abs(whole.sinceUs - this.#sweptAtUs) >= sweepEveryUs) this.#sweep(whole.sinceUs);
    this.#saving ??= setImmediate(() => this.#save()); // thousands may be told of at once
  }

  /** What no rule asks for any more. */
  #sweep(nowUs: number): void {
    this.#sweptAtUs = nowUs;
    for (const { key, untilUs } of this.#rows.values()) if (nowUs - untilUs > forgottenAfterUs) this.#drop(key);
  }

  #drop(key: string): void {
    this.#rows.delete(key);
    this.#unsaved.set(key, undefined);
  }

  #save(): void {
    clearImmediate(this.#saving);
    this.#saving = undefined;
    if (this.#unsaved.size === 0) return;
    try {
      this.#database.transaction(() => {
        const put = this.#database.prepare('INSERT OR REPLACE INTO measure VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
        const remove = this.#database.prepare('DELETE FROM measure WHERE key = ?');
        for (const [key, row] of this.#unsaved) {
          if (row === undefined) remove.run(key);
          else {
            const { ruleId, who, sinceUs, untilUs, times, step, isLifted } = row;
            put.run(key, ruleId, who, sinceUs, untilUs, times, step, isLifted ? 1 : 0);
          }
        }
      })();
      this.#hasWarned = false;
    } catch (error) {
      if (!this.#hasWarned)
        this.#log.warn(`who was restricted cannot be written down and is forgotten at a restart: ${String(error)}`);
      this.#hasWarned = true;
    }
    this.#unsaved.clear();
  }
}

function isSame(one: Row, other: Row): boolean {
  return (
    one.ruleId === other.ruleId &&
    one.who === other.who &&
    one.sinceUs === other.sinceUs &&
    one.untilUs === other.untilUs &&
    one.times === other.times &&
    one.step === other.step &&
    one.isLifted === other.isLifted
  );
}
