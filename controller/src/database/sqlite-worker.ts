/**
 * One thread that holds one SQLite connection and runs what it is sent, in order. better-sqlite3 is synchronous: here a
 * slow statement stops nobody but this thread.
 */
import { parentPort, workerData } from 'node:worker_threads';
import SqliteDatabase from 'better-sqlite3';

export interface WorkerOptions {
  readonly file: string;
  readonly readonly: boolean;
}

export interface StatementRequest {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export type WorkerReply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'not-opened'; readonly message: string; readonly code: string }
  | { readonly kind: 'done'; readonly id: number; readonly rows: unknown[]; readonly changes: number | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly code: string };

const maxPreparedStatements = 256;
/** How long to wait for another process that holds the write lock. */
const busyTimeoutMs = 5000;

function open(options: WorkerOptions): SqliteDatabase.Database {
  const connection = new SqliteDatabase(options.file, {
    readonly: options.readonly,
    fileMustExist: options.readonly,
    timeout: busyTimeoutMs,
  });
  if (!options.readonly) {
    connection.pragma('journal_mode = WAL');
    // FULL: a commit is on the disk before it is acknowledged to a gateway, which then forgets what it sent.
    connection.pragma('synchronous = FULL');
    connection.pragma('foreign_keys = ON');
    connection.pragma('trusted_schema = OFF');
    // Reads the header and takes the lock once, so that a file that is no database is found here.
    connection.exec('begin immediate; commit');
  }
  return connection;
}

function serve(
  connection: SqliteDatabase.Database,
  reply: (message: WorkerReply) => void,
): (r: StatementRequest) => void {
  const prepared = new Map<string, SqliteDatabase.Statement>();
  const prepare = (sql: string): SqliteDatabase.Statement => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = connection.prepare(sql);
      if (prepared.size >= maxPreparedStatements) prepared.delete(prepared.keys().next().value ?? '');
    } else {
      prepared.delete(sql); // back to the end: the oldest unused one goes first
    }
    prepared.set(sql, statement);
    return statement;
  };
  return ({ id, sql, parameters }) => {
    try {
      const statement = prepare(sql);
      if (statement.reader) {
        reply({ kind: 'done', id, rows: statement.all(parameters), changes: undefined });
      } else {
        reply({ kind: 'done', id, rows: [], changes: statement.run(parameters).changes });
      }
    } catch (error) {
      reply({ kind: 'failed', id, ...describe(error) });
    }
  };
}

function describe(error: unknown): { message: string; code: string } {
  const code = (error as { code?: unknown }).code;
  return {
    message: error instanceof Error ? error.message : String(error),
    code: typeof code === 'string' ? code : 'SQLITE_ERROR',
  };
}

const port = parentPort;
if (port === null) throw new Error('sqlite-worker runs as a worker thread only');
const reply = (message: WorkerReply): void => port.postMessage(message);
try {
  const connection = open(workerData as WorkerOptions);
  const handle = serve(connection, reply);
  port.on('message', (message: StatementRequest | 'close') => {
    if (message === 'close') {
      connection.close();
      port.close();
    } else {
      handle(message);
    }
  });
  reply({ kind: 'opened' });
} catch (error) {
  reply({ kind: 'not-opened', ...describe(error) });
}
