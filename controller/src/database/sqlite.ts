/** SQLite: one thread that writes (and the only one that can), two that read. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Kysely } from 'kysely';
import { StartFailure, exitCodes } from '../errors.ts';
import type { OpenConnections } from './open-connections.ts';
import { SqliteConnection, SqliteError } from './sqlite-connection.ts';
import { SqlitePoolDialect, SqlitePoolDriver } from './sqlite-dialect.ts';
import type { Tables } from './tables.ts';

const readers = 2;

/** Throws `StartFailure` naming the file and what to do. */
export async function openSqlite(file: string): Promise<OpenConnections> {
  await using opened = new AsyncDisposableStack();
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const writing = opened.use(await SqliteConnection.open({ file, readonly: false }));
    const reading: SqliteConnection[] = [];
    for (let index = 0; index < readers; index++) {
      reading.push(opened.use(await SqliteConnection.open({ file, readonly: true })));
    }
    const connections = opened.move();
    return {
      writer: new Kysely<Tables>({ dialect: new SqlitePoolDialect(new SqlitePoolDriver([writing], 'write')) }),
      reader: new Kysely<Tables>({ dialect: new SqlitePoolDialect(new SqlitePoolDriver(reading, 'read')) }),
      [Symbol.asyncDispose]: () => connections.disposeAsync(),
    };
  } catch (error) {
    throw explain(error, file);
  }
}

function explain(error: unknown, file: string): unknown {
  const code = error instanceof SqliteError ? error.code : (error as NodeJS.ErrnoException).code;
  const fail = (text: string, exitCode: (typeof exitCodes)[keyof typeof exitCodes]): StartFailure =>
    new StartFailure(`database ${file}: ${text}`, exitCode, { cause: error });
  switch (code) {
    case 'SQLITE_NOTADB':
    case 'SQLITE_CORRUPT':
      return fail('is not a SQLite database or is damaged; restore a backup or give another data_dir', exitCodes.data);
    case 'SQLITE_FULL':
    case 'ENOSPC':
      return fail('the disk is full; free some space and start again', exitCodes.cannotCreate);
    case 'SQLITE_BUSY':
      return fail('is locked by another program; end it, or give another data_dir', exitCodes.unavailable);
    case 'SQLITE_CANTOPEN':
    case 'SQLITE_READONLY':
    case 'SQLITE_READONLY_DIRECTORY':
    case 'SQLITE_PERM':
    case 'EACCES':
    case 'EROFS':
      return fail('cannot be written; give a data_dir that this user may write', exitCodes.cannotCreate);
    case 'ENOTDIR':
    case 'EEXIST':
      return fail(
        'its folder cannot be made because a file stands in the way; give another data_dir',
        exitCodes.cannotCreate,
      );
    case undefined:
    default:
      return error;
  }
}
