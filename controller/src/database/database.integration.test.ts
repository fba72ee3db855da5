import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { exitCodes } from '../errors.ts';
import { openDatabase } from './database.ts';

const user = {
  id: 'u1',
  username: 'ada',
  email: null,
  password_hash: 'x',
  role: 'viewer' as const,
  is_active: 1,
  last_login: null,
  failed_logins: 0,
  locked_until: null,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
};
const auditEntry = {
  sequence: 1,
  at: '2026-01-01T00:00:00.000Z',
  who: 'ada',
  what: 'test',
  on_what: 'x',
  before: null,
  after: null,
  address: null,
  previous_hash: '',
  hash: '',
};

describeOnBothDatabases('database', (open) => {
  test('migrations can be run again, and the schema stays', async () => {
    await using place = await open();
    {
      await using database = await openDatabase(place);
      await database.migrate();
      await database.migrate();
      await database.writer.insertInto('users').values(user).execute();
    }
    await using again = await openDatabase(place);
    await again.migrate();
    expect(await again.reader.selectFrom('users').select('username').execute()).toEqual([{ username: 'ada' }]);
  });

  test('several controllers may migrate at the same time', async () => {
    await using place = await open();
    await using first = await openDatabase(place);
    await using second = await openDatabase(place);
    await Promise.all([first.migrate(), second.migrate()]);
    for (const { reader } of [first, second])
      expect(await reader.selectFrom('users').selectAll().execute()).toEqual([]);
  });

  test('counts and sums are numbers, bytes are buffers, on either engine', async () => {
    await using place = await open();
    await using database = await openDatabase(place);
    await database.migrate();
    await database.writer.insertInto('users').values(user).execute();
    const row = await database.reader
      .selectFrom('users')
      .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number>('is_active').as('sum')])
      .executeTakeFirstOrThrow();
    expect(row).toEqual({ count: 1, sum: 1 });
    await sql`create table blobs (body ${sql.raw(database.dialect === 'sqlite' ? 'blob' : 'bytea')})`.execute(
      database.writer,
    );
    await sql`insert into blobs values (${Buffer.from([1, 2, 255])})`.execute(database.writer);
    const { rows } = await sql<{ body: Buffer }>`select body from blobs`.execute(database.reader);
    expect(rows[0]?.body).toBeInstanceOf(Buffer);
    expect([...(rows[0]?.body ?? [])]).toEqual([1, 2, 255]);
  });

  test('a transaction that fails leaves nothing behind, and those beside it do not mix with it', async () => {
    await using place = await open();
    await using database = await openDatabase(place);
    await database.migrate();
    const failing = database.writer.transaction().execute(async (transaction) => {
      await transaction.insertInto('users').values(user).execute();
      throw new Error('no');
    });
    const others = Array.from({ length: 20 }, (_, index) =>
      database.writer
        .insertInto('users')
        .values({ ...user, id: `o${index}`, username: `o${index}` })
        .execute(),
    );
    await expect(failing).rejects.toThrow('no');
    await Promise.all(others);
    const { count } = await database.reader
      .selectFrom('users')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    expect(count).toBe(20);
  });

  test('the audit log refuses changes in the engine itself', async () => {
    await using place = await open();
    await using database = await openDatabase(place);
    await database.migrate();
    await database.writer.insertInto('audit_log').values(auditEntry).execute();
    await expect(database.writer.updateTable('audit_log').set({ who: 'eve' }).execute()).rejects.toThrow('append-only');
    await expect(database.writer.deleteFrom('audit_log').execute()).rejects.toThrow('append-only');
  });
});

test('on SQLite the reader cannot write', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'picket-sqlite-'));
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  await using database = await openDatabase({ file: join(folder, 'picket.db') });
  await database.migrate();
  await expect(database.reader.insertInto('users').values(user).execute()).rejects.toMatchObject({
    code: 'SQLITE_READONLY',
  });
});

test('a database that cannot be opened is refused with what to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'picket-sqlite-'));
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  await writeFile(join(folder, 'text'), 'this is not a database, only some text that is long enough');
  await mkdir(join(folder, 'folder'));
  const open = (options: { file?: string; url?: string }) => openDatabase(options);
  await expect(open({ file: join(folder, 'text') })).rejects.toMatchObject({
    exitCode: exitCodes.data,
    message: expect.stringContaining('not a SQLite database') as string,
  });
  await expect(open({ file: join(folder, 'folder') })).rejects.toMatchObject({ exitCode: exitCodes.cannotCreate });
  await expect(open({ file: join(folder, 'text', 'picket.db') })).rejects.toMatchObject({
    exitCode: exitCodes.cannotCreate,
  });
  await expect(open({ url: 'mysql://root:secret@db/picket' })).rejects.toMatchObject({ exitCode: exitCodes.config });
  const away = open({ url: 'postgres://picket:secret@127.0.0.1:1/picket' });
  await expect(away).rejects.toMatchObject({ exitCode: exitCodes.unavailable });
  await expect(away).rejects.not.toThrow('secret');
});
