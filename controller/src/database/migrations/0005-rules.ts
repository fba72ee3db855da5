/** Rules for one gateway or one type of device, with ladders, escalation, schedules and webhooks. */
import { defaultRules } from '@picket/shared/policy/default-rules';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { RuleRow } from '../rule-tables.ts';

export const rules: Migration = {
  async up(database: Kysely<unknown>) {
    const columns = ['gateway_id', 'device_type', 'direction', 'escalation', 'schedule', 'webhook_url'];
    for (const column of columns) await database.schema.alterTable('rules').addColumn(column, 'text').execute();
    await database.schema
      .alterTable('rules')
      .addColumn('device_ladder', 'text', (column) => column.notNull().defaultTo('[]'))
      .execute();
    // whoever changed a default rule keeps it as it is
    for (const rule of defaultRules) {
      await (database as Kysely<{ rules: RuleRow }>)
        .updateTable('rules')
        .set({
          device_ladder: JSON.stringify(rule.device_ladder),
          escalation: rule.escalation === null ? null : JSON.stringify(rule.escalation),
        })
        .where('id', '=', rule.id)
        .where('version', '=', 1)
        .execute();
    }
  },
};
