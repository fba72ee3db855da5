/** PostgreSQL: one pool for reading and writing. */
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { StartFailure, exitCodes } from '../errors.ts';
import type { OpenConnections } from './open-connections.ts';
import type { Tables } from './tables.ts';

const maxConnections = 20;
const int8 = 20;
const numeric = 1700;
/** The driver's own, for every type that it knows; it declares only those with a name. */
const parserOf = pg.types.getTypeParser as (oid: number, format?: 'text' | 'binary') => (text: string) => unknown;

/** Throws `StartFailure` that names the server, never the password. */
export async function openPostgres(url: string): Promise<OpenConnections> {
  let where: string;
  try {
    const parsed = new URL(url);
    if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') throw new Error(parsed.protocol);
    where = `${parsed.hostname || parsed.searchParams.get('host') || 'localhost'}${parsed.pathname}`;
  } catch (error) {
    throw new StartFailure(
      'database_url is not an address of PostgreSQL; it looks like postgres://user:password@host:5432/picket',
      exitCodes.config,
      { cause: error },
    );
  }
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    application_name: 'picket-controller',
    connectionTimeoutMillis: 10_000,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 60_000,
    // Counts (int8) and sums (numeric) as numbers, as SQLite gives them.
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === int8 || oid === numeric ? Number : parserOf(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  pool.on('error', () => {}); // an idle connection broke: the pool makes a new one, and readiness says when it cannot
  try {
    await pool.query('select 1');
  } catch (error) {
    await pool.end();
    throw explain(error, where);
  }
  const database = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return { reader: database, writer: database, [Symbol.asyncDispose]: () => database.destroy() };
}

function explain(error: unknown, where: string): StartFailure {
  const { code, message } = error as { code?: string; message: string };
  const fail = (text: string): StartFailure =>
    new StartFailure(`PostgreSQL at ${where}: ${text}`, exitCodes.unavailable, { cause: error });
  switch (code) {
    case '28P01':
    case '28000':
      return fail('refused the user or the password in database_url');
    case '3D000':
      return fail('has no such database; create it (createdb) and start again');
    case '53300':
      return fail('has no connection free; raise max_connections');
    case undefined:
    default:
      return fail(`does not answer (${code ?? message}); check database_url and that the server runs`);
  }
}
