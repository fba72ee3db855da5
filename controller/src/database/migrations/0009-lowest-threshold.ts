/** Thresholds from before there was a lowest one: agents refuse a policy with a lower one, and with it all else it says. */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { lowestThreshold } from '@picket/shared/contract/rule';
import type { GatewaysTable } from '../fleet-tables.ts';
import type { RuleRow } from '../rule-tables.ts';

export const lowestThresholds: Migration = {
  async up(database: Kysely<unknown>) {
    const tables = database as Kysely<{ rules: RuleRow; gateways: GatewaysTable }>;
    await tables
      .updateTable('rules')
      .set((set) => ({ threshold: lowestThreshold, version: set('version', '+', 1) })) // who has read it reads it again
      .where('threshold', '<', lowestThreshold)
      .execute();
    await tables
      .updateTable('gateways')
      .set({ threshold: lowestThreshold })
      .where('threshold', '<', lowestThreshold)
      .execute();
  },
};
