/**
 * The controller's database: SQLite in a file, or PostgreSQL. Repositories read through `reader` and write through
 * `writer`; on SQLite `writer` leads to the one thread that may write, on PostgreSQL both are the same pool.
 */
import { sql, type Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { StartFailure, exitCodes } from '../errors.ts';
import type { DialectName } from './dialect.ts';
import { openPostgres } from './postgres.ts';
import { openSqlite } from './sqlite.ts';
import { migrations } from './migrations.ts';
import type { Tables } from './tables.ts';

export interface Database extends AsyncDisposable {
  readonly dialect: DialectName;
  /** For selects. On SQLite a connection that cannot write. */
  readonly reader: Kysely<Tables>;
  /** For inserts, updates, deletes and for transactions; resolves after the commit has reached the disk. */
  readonly writer: Kysely<Tables>;
  /** Brings the schema up to this build; repeatable, and safe when several controllers start at once on PostgreSQL. */
  migrate(): Promise<void>;
  /** Throws where the database cannot answer. */
  ping(): Promise<void>;
}

export interface DatabaseOptions {
  /** `postgres://…`; wins over `file`. */
  readonly url?: string | undefined;
  /** SQLite file; made when absent. */
  readonly file?: string | undefined;
}

/** Opens without migrating. Throws `StartFailure` that says which setting is wrong and what to do. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  if (options.url === undefined && options.file === undefined) {
    throw new StartFailure('no database: give database_url or a data folder', exitCodes.config);
  }
  const dialect: DialectName = options.url === undefined ? 'sqlite' : 'postgres';
  const connections =
    options.url === undefined ? await openSqlite(options.file ?? '') : await openPostgres(options.url);
  const { reader, writer } = connections;
  return {
    dialect,
    reader,
    writer,
    migrate: () => migrate(writer),
    ping: async () => {
      await sql`select 1`.execute(reader);
    },
    [Symbol.asyncDispose]: () => connections[Symbol.asyncDispose](),
  };
}

async function migrate(writer: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db: writer, provider: { getMigrations: async () => migrations } });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const { code } = error as { code?: unknown };
  if (code === 'SQLITE_FULL' || code === '53100') {
    throw new StartFailure('the disk of the database is full; make room and start again', exitCodes.cannotCreate, {
      cause: error,
    });
  }
  const failed = results?.find((result) => result.status === 'Error')?.migrationName;
  const reason = error instanceof Error ? error.message : JSON.stringify(error);
  throw new StartFailure(
    failed === undefined
      ? `the database does not fit this build: ${reason}. A newer picket-controller may have been here: use that one, or restore a backup`
      : `migration ${failed} failed and was not applied: ${reason}`,
    exitCodes.data,
    { cause: error },
  );
}
