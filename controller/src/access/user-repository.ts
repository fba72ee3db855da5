/** People in the database. */
import type { Selectable } from 'kysely';
import type { UserRow } from '../database/access-tables.ts';
import type { Database } from '../database/database.ts';

export type StoredUser = Selectable<UserRow>;

export class UserRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  byId(id: string): Promise<StoredUser | undefined> {
    return this.#database.reader.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** By user name or e-mail address, both in lower case. */
  byName(column: 'username' | 'email', name: string): Promise<StoredUser | undefined> {
    return this.#database.reader.selectFrom('users').selectAll().where(column, '=', name).executeTakeFirst();
  }

  list(): Promise<StoredUser[]> {
    return this.#database.reader.selectFrom('users').selectAll().orderBy('username').limit(1000).execute();
  }

  async insert(user: StoredUser): Promise<void> {
    await this.#database.writer.insertInto('users').values(user).execute();
  }

  /** Inserts only where there is nobody at all; false where there is. One statement, so that two starts make one admin. */
  async insertFirst(user: StoredUser): Promise<boolean> {
    const { writer } = this.#database;
    return writer.transaction().execute(async (transaction) => {
      const anybody = await transaction.selectFrom('users').select('id').limit(1).executeTakeFirst();
      if (anybody !== undefined) return false;
      const { numInsertedOrUpdatedRows } = await transaction
        .insertInto('users')
        .values(user)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      return numInsertedOrUpdatedRows === 1n;
    });
  }

  async setPassword(id: string, passwordHash: string, at: string): Promise<void> {
    await this.#database.writer
      .updateTable('users')
      .set({ password_hash: passwordHash, failed_logins: 0, locked_until: null, updated_at: at })
      .where('id', '=', id)
      .execute();
  }

  async noteSuccess(id: string, at: string): Promise<void> {
    await this.#database.writer
      .updateTable('users')
      .set({ last_login: at, failed_logins: 0, locked_until: null })
      .where('id', '=', id)
      .execute();
  }

  /** Counts one more failure, in the database, so that attempts in parallel all count; the new count. */
  async noteFailure(id: string): Promise<number> {
    const { failed_logins } = await this.#database.writer
      .updateTable('users')
      .set((expression) => ({ failed_logins: expression('failed_logins', '+', 1) }))
      .where('id', '=', id)
      .returning('failed_logins')
      .executeTakeFirstOrThrow();
    return failed_logins;
  }

  async lock(id: string, until: string): Promise<void> {
    await this.#database.writer.updateTable('users').set({ locked_until: until }).where('id', '=', id).execute();
  }
}
