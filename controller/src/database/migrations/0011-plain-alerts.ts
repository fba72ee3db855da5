/** Alerts that are plain from their flows, whatever the network said: as certain as can be to whoever asks for a score. */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const plainAlerts: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .alterTable('alerts')
      .addColumn('is_plain', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
