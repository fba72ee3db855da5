/** How often an attack came back to its alert: what was resolved is open again then. */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const alertReturns: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .alterTable('alerts')
      .addColumn('returns', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
