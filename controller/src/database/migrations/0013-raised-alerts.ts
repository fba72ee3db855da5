/** When an alert last asked for somebody's eyes: lists are in this order, of all alerts and of those with one status. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const raisedAlerts: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .alterTable('alerts')
      .addColumn('raised_at', 'text', (column) => column.notNull().defaultTo(''))
      .execute();
    await sql`update alerts set raised_at = case
      when returns > 0 and status <> 'false_positive' then recorded_at else created_at end`.execute(database);
    await database.schema.createIndex('alerts_raised').on('alerts').columns(['raised_at', 'id']).execute();
    await database.schema
      .createIndex('alerts_status_raised')
      .on('alerts')
      .columns(['status', 'raised_at', 'id'])
      .execute();
  },
};
