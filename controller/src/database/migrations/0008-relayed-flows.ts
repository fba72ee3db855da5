/** Flows that a router brought: whom nobody saw sending is not restricted, in a dry run either. */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const relayedFlows: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema.alterTable('flows').addColumn('is_relayed', 'integer').execute();
  },
};
