/**
 * The clock that `raised_at` is read from, so that what is raised later is higher, whichever gateway reported it. What was
 * raised by the clock of a gateway that is ahead stands no higher than now.
 */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { AlertTables } from '../alert-tables.ts';
import { countType } from '../dialect.ts';

export const raisedClock: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('raised_clock')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('at_ms', countType(database), (column) => column.notNull())
      .execute();
    const tables = database as Kysely<AlertTables>;
    const now = new Date().toISOString();
    await tables.updateTable('alerts').set({ raised_at: now }).where('raised_at', '>', now).execute();
    const { latest } = await tables
      .selectFrom('alerts')
      .select((eb) => eb.fn.max('raised_at').as('latest'))
      .executeTakeFirstOrThrow();
    const atMs = latest === null ? 0 : Date.parse(latest);
    await tables.insertInto('raised_clock').values({ id: 1, at_ms: atMs }).execute();
  },
};
