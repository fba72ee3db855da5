/** A Kysely connection whose statements run in a thread of their own (`sqlite-worker.ts`). */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type { StatementRequest, WorkerOptions, WorkerReply } from './sqlite-worker.ts';

/** What SQLite refused; `code` is SQLite's own, `SQLITE_CONSTRAINT_UNIQUE` for example. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: (result: QueryResult<never>) => void;
  readonly reject: (error: Error) => void;
}

export class SqliteConnection implements DatabaseConnection, AsyncDisposable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #dead: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Throws `SqliteError` where the file cannot be opened. */
  static async open(options: WorkerOptions): Promise<SqliteConnection> {
    // The build ships JavaScript; from a checkout Node runs the sources as they are.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), { workerData: options });
    const connection = new SqliteConnection(worker);
    const [first] = (await once(worker, 'message')) as [WorkerReply];
    if (first.kind === 'not-opened') {
      await worker.terminate();
      throw new SqliteError(first.message, first.code);
    }
    worker.on('message', (reply: WorkerReply) => connection.#settle(reply));
    worker.on('error', (error) => connection.#die(error));
    worker.on('exit', () => connection.#die(new SqliteError('the database thread has ended', 'SQLITE_MISUSE')));
    return connection;
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const request: StatementRequest = { id: this.#nextId++, sql: query.sql, parameters: query.parameters };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  // eslint-disable-next-line require-yield -- the interface wants a generator
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new SqliteError('streaming is not offered: read in pages', 'SQLITE_MISUSE');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#dead !== undefined) return;
    const ended = once(this.#worker, 'exit');
    this.#worker.postMessage('close');
    await ended;
  }

  #settle(reply: WorkerReply): void {
    if (reply.kind !== 'done' && reply.kind !== 'failed') return;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === 'failed') {
      waiting?.reject(new SqliteError(reply.message, reply.code));
    } else {
      const rows = (reply.rows as Record<string, unknown>[]).map(bytesAsBuffers) as never[];
      waiting?.resolve(reply.changes === undefined ? { rows } : { rows, numAffectedRows: BigInt(reply.changes) });
    }
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Between threads a Buffer arrives as a plain Uint8Array; repositories expect what PostgreSQL gives too. */
function bytesAsBuffers(row: Record<string, unknown>): Record<string, unknown> {
  for (const [column, value] of Object.entries(row)) {
    if (value instanceof Uint8Array) row[column] = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return row;
}
