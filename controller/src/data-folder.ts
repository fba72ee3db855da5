/** The folder that a running controller owns: made where it is not there, locked against a second one, watched for room. */
import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { StartFailure, exitCodes } from './errors.ts';

/** How long a controller that is just ending may keep the folder. */
const patienceMs = 2000;
/** Below this a commit may fail at any moment. */
const minFreeBytes = 4 * 1024 * 1024;

export class DataFolder implements Disposable {
  readonly #path: string;
  readonly #lock: SqliteDatabase.Database;

  private constructor(path: string, lock: SqliteDatabase.Database) {
    this.#path = path;
    this.#lock = lock;
  }

  /** Throws `StartFailure` where the folder cannot be made or written, or is another controller's. */
  static async open(path: string): Promise<DataFolder> {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      throw cannotUse(`data_dir ${path} cannot be made (${reason})`, error);
    }
    let lock: SqliteDatabase.Database | undefined;
    try {
      // A lock of the kernel's, which goes with the process however it ends; Node offers none by itself.
      lock = new SqliteDatabase(join(path, 'picket.lock'), { timeout: patienceMs });
      lock.exec('begin exclusive');
      return new DataFolder(path, lock);
    } catch (error) {
      lock?.close();
      const { code } = error as { code?: string };
      if (code === 'SQLITE_BUSY') {
        throw new StartFailure(
          `another controller runs on data_dir ${path}; end it, or give this one a folder of its own`,
          exitCodes.unavailable,
          { cause: error },
        );
      }
      throw cannotUse(`data_dir ${path} cannot be written (${code ?? String(error)})`, error);
    }
  }

  /** Rejects where the file system has no room left for what comes next. */
  async requireRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#path);
    if (bavail * bsize < minFreeBytes) {
      throw new Error(`${this.#path} has ${bavail * bsize} bytes free; make room, at least ${minFreeBytes} bytes`);
    }
  }

  [Symbol.dispose](): void {
    this.#lock.close();
  }
}

function cannotUse(what: string, cause: unknown): StartFailure {
  return new StartFailure(`${what}; give a folder that this user may write`, exitCodes.cannotCreate, { cause });
}
