/** The file of the decision store: its tables, its rows, and a look into it for who does not own it. */
import Database from 'better-sqlite3';
import { Decision } from '@picket/shared/contract/decision';
import type { LastSeen } from './time-left.ts';

/** Without row ids each row is written once and not twice: thousands are written at once. */
export const decisionSchema = `
  CREATE TABLE IF NOT EXISTS decision (id TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL, body TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lifted (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  -- ends_uptime_ms counts from the boot that life names; is_unsure: it was restored after a reboot
  CREATE TABLE IF NOT EXISTS decision_end (
    id TEXT PRIMARY KEY, ends_uptime_ms INTEGER NOT NULL, is_unsure INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- when an agent was last seen running; unexpected_ends: how often it came back without having been stopped
  CREATE TABLE IF NOT EXISTS life (
    one INTEGER PRIMARY KEY CHECK (one = 1), boot_id TEXT NOT NULL, uptime_ms INTEGER NOT NULL, wall_ms INTEGER NOT NULL,
    is_running INTEGER NOT NULL, unexpected_ends INTEGER NOT NULL
  ) STRICT;
`;

/** One row: the run of the agent that had the file last. */
export interface LifeRow extends LastSeen {
  readonly unexpected_ends: number;
}

/** A decision beside its end; null where the end was never stored by time since boot. */
export interface DecisionRow {
  readonly body: string;
  readonly ends_uptime_ms: number | null;
  readonly is_unsure: number | null;
}

/** What a store holds, whoever has it open; empty where there is none, or none that can be read. */
export function readStoredDecisions(path: string): readonly Decision[] {
  try {
    using database = openToRead(path);
    const rows = database.instance.prepare('SELECT body FROM decision').all() as readonly { readonly body: string }[];
    return rows.flatMap(({ body }) => readDecision(body) ?? []);
  } catch {
    return [];
  }
}

function openToRead(path: string): { readonly instance: Database.Database } & Disposable {
  const instance = new Database(path, { readonly: true, fileMustExist: true, timeout: 1000 });
  return { instance, [Symbol.dispose]: () => instance.close() };
}

const rowsAtOnce = 50;

/** In place of those with the same key. `table`: its name and the columns of a row; thousands of rows cost half as much together. */
export function putRows(database: Database.Database, table: string, rows: readonly (readonly unknown[])[]): void {
  for (let from = 0; from < rows.length;) {
    const count = rows.length - from < rowsAtOnce ? 1 : rowsAtOnce;
    const places = `(${rows[from]!.map(() => '?').join()})`;
    const put = database.prepare(`INSERT OR REPLACE INTO ${table} VALUES ${Array(count).fill(places).join()}`);
    do {
      put.run(rows.slice(from, from + count).flat());
      from += count;
    } while (rows.length - from >= count);
  }
}

/** Undefined where it no longer means a decision. */
export function readDecision(body: string): Decision | undefined {
  try {
    return Decision.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
