/** The same tests on SQLite and on PostgreSQL. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { beforeAll, describe } from 'vitest';
import { sharedPostgres } from './postgres-server.ts';
import { requireSystem } from './require-system.ts';

/** Each test opens a database, most of them a whole controller, on whatever machine. */
const patience = { timeout: 240_000 };

/** An empty database for one test. `url` is PostgreSQL's, `file` SQLite's. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string | undefined;
  readonly file: string | undefined;
}

/**
 * Runs `suite` on both engines; `open` gives a fresh database each time. PostgreSQL is the server of
 * `PICKET_TEST_DATABASE_URL`, or one started from the system's packages.
 */
export function describeOnBothDatabases(
  name: string,
  suite: (open: () => Promise<TestDatabase>, engine: 'sqlite' | 'postgres') => void,
): void {
  describe(`${name}, on SQLite`, patience, () => {
    suite(openSqlite, 'sqlite');
  });
  const external = process.env['PICKET_TEST_DATABASE_URL'];
  const isThere = external !== undefined || requireSystem('initdb', 'pg_ctl');
  describe.skipIf(!isThere)(`${name}, on PostgreSQL`, patience, () => {
    if (external === undefined) beforeAll(async () => void (await startShared()), 240_000);
    suite(() => openPostgres(external), 'postgres');
  });
}

async function openSqlite(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'picket-sqlite-'));
  return {
    url: undefined,
    file: join(folder, 'picket.db'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function openPostgres(external: string | undefined): Promise<TestDatabase> {
  const addressOf =
    external === undefined ? await startShared() : (database: string) => withDatabase(external, database);
  const name = `picket_${randomUUID().replaceAll('-', '')}`;
  await onServer(external ?? addressOf('postgres'), `create database ${name}`);
  return {
    url: addressOf(name),
    file: undefined,
    [Symbol.asyncDispose]: () => onServer(external ?? addressOf('postgres'), `drop database ${name} with (force)`),
  };
}

function startShared(): Promise<(database: string) => string> {
  const folder = process.env['PICKET_TEST_POSTGRES_FOLDER'];
  if (folder === undefined) throw new Error('vitest.config.ts must name .ci/postgres-setup.ts as globalSetup');
  return sharedPostgres(folder);
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function onServer(url: string, statement: string): Promise<void> {
  // pg is the controller's dependency, not the workspace's.
  const driver = createRequire(new URL('../controller/package.json', import.meta.url))('pg') as typeof pg;
  const client = new driver.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
