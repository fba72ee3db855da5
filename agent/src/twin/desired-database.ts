/** The file of what was accepted of the controller: its tables, and a new one in place of one that cannot be read. */
import { renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Logger } from 'pino';
import { AgentError } from '../errors.ts';

const schema = `
  -- Versions rise per signing key: another controller begins anew.
  CREATE TABLE IF NOT EXISTS accepted (
    kid TEXT NOT NULL, document TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (kid, document)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS policy (one INTEGER PRIMARY KEY CHECK (one = 1), jws TEXT NOT NULL);
  -- Applied, perhaps, and not confirmed: found at a start, it is undone.
  CREATE TABLE IF NOT EXISTS pending_policy (
    one INTEGER PRIMARY KEY CHECK (one = 1), kid TEXT NOT NULL, version INTEGER NOT NULL, jws TEXT NOT NULL
  );
  -- The latest version that was undone, so that it is not tried again by itself.
  CREATE TABLE IF NOT EXISTS rolled_back_policy (
    one INTEGER PRIMARY KEY CHECK (one = 1), kid TEXT NOT NULL, version INTEGER NOT NULL, reason TEXT NOT NULL
  );
  -- Unblocks that were done, with what was answered: one that comes again is answered, not done.
  CREATE TABLE IF NOT EXISTS unblock (id TEXT PRIMARY KEY, proof TEXT NOT NULL, done_at TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS fleet_decision (id TEXT PRIMARY KEY, expires_at TEXT NOT NULL) WITHOUT ROWID;
`;

/** What `use` makes of the file. One that cannot be read is moved aside, for a new one. Throws an AgentError. */
export function openDesiredDatabase<T>(
  path: string,
  log: Pick<Logger, 'error'>,
  use: (database: Database.Database) => T,
): T {
  try {
    return use(openDatabase(path));
  } catch (error) {
    const code = error instanceof Database.SqliteError ? error.code : '';
    if (!/^SQLITE_(?:CORRUPT|NOTADB)/.test(code))
      throw new AgentError('cannot-create', `cannot open ${path}: ${(error as Error).message}`, { cause: error });
  }
  log.error({ path }, 'what this gateway had accepted of its controller is unreadable; it begins anew');
  renameSync(path, `${path}.corrupt`);
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
  return use(openDatabase(path));
}

function openDatabase(path: string): Database.Database {
  const database = new Database(path);
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.exec(schema);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
