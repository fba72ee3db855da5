/**
 * The outbox's SQLite file: opening it so that what was committed stays committed, and stepping past a file that can no
 * longer be read. Nothing here knows about channels or bounds.
 */
import { renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { AgentError } from '../errors.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS channel (
    name TEXT PRIMARY KEY, next_seq INTEGER NOT NULL, dropped INTEGER NOT NULL
  ) WITHOUT ROWID;
  -- A gap row stands for \`lost\` events from \`from_seq\` to its own \`seq\`; an event row has lost = 0.
  CREATE TABLE IF NOT EXISTS event (
    channel TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, bytes INTEGER NOT NULL,
    lost INTEGER NOT NULL, from_seq INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (channel, seq)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS event_age ON event (channel, at);
`;

/** Of pages kept in memory; SQLite's own would be 16 MiB, and a row is written once and read once. */
const cacheKib = 1024;

/** What became of the file at `path`. */
export interface OpenedFile {
  readonly database: Database.Database;
  /** Where the unreadable predecessor was put, if there was one. */
  readonly movedAside: string | undefined;
}

/**
 * Opens or makes the file. An unreadable one is renamed to `…corrupt` (only the latest is kept) and a new one made.
 * Throws an AgentError when the folder cannot be written or another agent holds the file.
 */
export function openOutboxFile(path: string): OpenedFile {
  try {
    return { database: openDatabase(path), movedAside: undefined };
  } catch (error) {
    if (!isCorruption(error)) throw explained(path, error);
  }
  const movedAside = moveAside(path);
  try {
    return { database: openDatabase(path), movedAside };
  } catch (error) {
    throw explained(path, error);
  }
}

/** True when the file itself is broken, as opposed to a full disk or a lock. */
export function isCorruption(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(?:CORRUPT|NOTADB)/.test(error.code);
}

function openDatabase(path: string): Database.Database {
  const database = new Database(path, { timeout: 1000 });
  try {
    database.pragma('locking_mode = EXCLUSIVE'); // sequence numbers are counted in memory: one agent per file
    database.pragma('journal_mode = WAL');
    database.pragma(`cache_size = -${cacheKib}`);
    database.exec(schema);
    const [first] = database.pragma('quick_check(1)') as readonly { quick_check: string }[];
    if (first?.quick_check !== 'ok') throw new Database.SqliteError(String(first?.quick_check), 'SQLITE_CORRUPT');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function moveAside(path: string): string {
  const aside = `${path}.corrupt`;
  renameSync(path, aside);
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
  return aside;
}

function explained(path: string, error: unknown): AgentError {
  if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY'))
    return new AgentError(
      'temporary-failure',
      `another agent uses ${path}; stop it or give this one its own state_dir`,
    );
  return new AgentError('cannot-create', `cannot open the outbox ${path}: ${(error as Error).message}`, {
    cause: error,
  });
}
