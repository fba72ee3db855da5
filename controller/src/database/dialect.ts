/** The only file, with the migrations, that knows SQLite from PostgreSQL by more than its connection. */
import { SqliteAdapter, sql, type ColumnDataType, type Kysely } from 'kysely';

export type DialectName = 'sqlite' | 'postgres';

/** Which engine a Kysely instance (a transaction, a migration's) talks to. */
export function dialectOf<T>(database: Kysely<T>): DialectName {
  return database.getExecutor().adapter instanceof SqliteAdapter ? 'sqlite' : 'postgres';
}

/** Column type for bytes. Both engines take and give `Buffer`. */
export function bytesType<T>(database: Kysely<T>): ColumnDataType {
  return dialectOf(database) === 'sqlite' ? 'blob' : 'bytea';
}

/** Column type for counts and sizes up to 2^53; read as a JavaScript number on both engines. */
export function countType<T>(database: Kysely<T>): ColumnDataType {
  return dialectOf(database) === 'sqlite' ? 'integer' : 'bigint';
}

/** True where an insert or update met a unique key. */
export function isUniqueViolation(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY';
}

/** Keeps other writers out of `table` until the transaction ends. On SQLite every write transaction does. */
export async function lockTable<T>(transaction: Kysely<T>, table: keyof T & string): Promise<void> {
  if (dialectOf(transaction) === 'sqlite') return;
  await sql`lock table ${sql.table(table)} in exclusive mode`.execute(transaction);
}
