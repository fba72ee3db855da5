/** Kysely over threads that hold SQLite connections: as many as given, each used by one query or transaction at a time. */
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect,
  type Driver,
  type Kysely,
} from 'kysely';
import { Unavailable } from '../errors.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** More callers than this in the queue for a connection means that the database cannot keep up: refuse instead of growing. */
const maxWaiting = 10_000;

class PooledSqliteAdapter extends SqliteAdapter {
  // The driver below lends each connection to one caller at a time, so Kysely needs no lock of its own around it.
  override get supportsMultipleConnections(): boolean {
    return true;
  }
  // SQLite can: all migrations are one transaction, so that a crash or a second controller never meets half a schema.
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

export class SqlitePoolDriver implements Driver {
  readonly #connections: readonly SqliteConnection[];
  readonly #idle: SqliteConnection[];
  readonly #waiting: ((connection: SqliteConnection) => void)[] = [];
  readonly #begin: CompiledQuery;

  constructor(connections: readonly SqliteConnection[], access: 'read' | 'write') {
    this.#connections = connections;
    this.#idle = [...connections];
    // A writer takes the lock at once: a transaction that reads first and writes later could otherwise fail half-way.
    this.#begin = CompiledQuery.raw(access === 'write' ? 'begin immediate' : 'begin');
  }

  async init(): Promise<void> {}

  acquireConnection(): Promise<SqliteConnection> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#waiting.length >= maxWaiting) {
      return Promise.reject(new Unavailable('the database cannot keep up; try again shortly', { retryAfter: 5 }));
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next(connection);
  }

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    await connection.executeQuery(this.#begin);
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async destroy(): Promise<void> {
    for (const connection of this.#connections) await connection[Symbol.asyncDispose]();
  }
}

export class SqlitePoolDialect implements Dialect {
  readonly #driver: SqlitePoolDriver;

  constructor(driver: SqlitePoolDriver) {
    this.#driver = driver;
  }

  createDriver(): Driver {
    return this.#driver;
  }
  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler();
  }
  createAdapter(): SqliteAdapter {
    return new PooledSqliteAdapter();
  }
  createIntrospector(database: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(database);
  }
}
