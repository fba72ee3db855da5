/** Rollouts of prevention rules, wave by wave. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { countType } from '../dialect.ts';

export const rollouts: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('rollouts')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('state', 'text', (column) =>
        column.notNull().check(sql`state in ('running', 'halted', 'completed', 'rolled_back', 'superseded')`),
      )
      .addColumn('detail', 'text')
      .addColumn('wave', 'integer')
      .addColumn('started_at', 'text', (column) => column.notNull())
      .addColumn('started_by', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .addColumn('revision', countType(database), (column) => column.notNull())
      .execute();
    await database.schema.createIndex('rollouts_time').on('rollouts').columns(['started_at', 'id']).execute();
    await database.schema
      .createTable('rollout_gateways')
      .addColumn('rollout_id', 'text', (column) => column.notNull().references('rollouts.id').onDelete('cascade'))
      .addColumn('gateway_id', 'text', (column) => column.notNull().references('gateways.id').onDelete('cascade'))
      .addColumn('wave', 'integer', (column) => column.notNull())
      .addColumn('state', 'text', (column) =>
        column.notNull().check(sql`state in ('released', 'confirmed', 'rolled_back', 'failed', 'silent')`),
      )
      .addColumn('version', countType(database))
      .addColumn('reverted_version', countType(database))
      .addColumn('released_at', 'text', (column) => column.notNull())
      .addColumn('detail', 'text')
      .addColumn('previous_rules', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('rollout_gateways_key', ['rollout_id', 'gateway_id'])
      .execute();
  },
};
