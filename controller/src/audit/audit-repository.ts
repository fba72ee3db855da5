/** The audit log in the database: appended to, read, never changed (the tables refuse it). */
import type { Kysely, Selectable } from 'kysely';
import type { AuditRow } from '../database/access-tables.ts';
import { lockTable } from '../database/dialect.ts';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';

export type StoredEntry = Selectable<AuditRow>;

export class AuditRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Appends what `next` makes of the last entry; entries are appended one after the other, by every controller. */
  async append(next: (last: StoredEntry | undefined) => StoredEntry): Promise<StoredEntry> {
    return this.#database.writer.transaction().execute(async (transaction) => {
      await lockTable(transaction, 'audit_log');
      const entry = next(await lastEntry(transaction));
      await transaction.insertInto('audit_log').values(entry).execute();
      return entry;
    });
  }

  /** Up to `limit` entries after `sequence`, oldest first. */
  async after(sequence: number, limit: number): Promise<StoredEntry[]> {
    return this.#database.reader
      .selectFrom('audit_log')
      .selectAll()
      .where('sequence', '>', sequence)
      .orderBy('sequence')
      .limit(limit)
      .execute();
  }
}

function lastEntry(database: Kysely<Tables>): Promise<StoredEntry | undefined> {
  return database.selectFrom('audit_log').selectAll().orderBy('sequence', 'desc').limit(1).executeTakeFirst();
}
