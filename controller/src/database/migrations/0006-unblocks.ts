/** Fleet-wide unblocks, with the answer of each gateway. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const unblocks: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('unblocks')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('include_prefixes', 'integer', (column) => column.notNull().check(sql`include_prefixes in (0, 1)`))
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('asked_by', 'text', (column) => column.notNull())
      .addColumn('asked_at', 'text', (column) => column.notNull())
      .execute();
    await database.schema.createIndex('unblocks_time').on('unblocks').columns(['asked_at', 'id']).execute();
    await database.schema
      .createTable('unblock_gateways')
      .addColumn('unblock_id', 'text', (column) => column.notNull().references('unblocks.id').onDelete('cascade'))
      .addColumn('gateway_id', 'text', (column) => column.notNull().references('gateways.id').onDelete('cascade'))
      .addColumn('state', 'text', (column) =>
        column.notNull().check(sql`state in ('owing', 'released', 'not_held', 'still_held', 'failed')`),
      )
      .addColumn('at', 'text')
      .addColumn('proof', 'text')
      .addPrimaryKeyConstraint('unblock_gateways_key', ['unblock_id', 'gateway_id'])
      .execute();
    await database.schema
      .createIndex('unblock_gateways_owing')
      .on('unblock_gateways')
      .columns(['gateway_id', 'state'])
      .execute();
  },
};
