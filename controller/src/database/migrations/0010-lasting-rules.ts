/**
 * The default rules for what is a little less sure but goes on, for a controller that had its rules before there were any.
 * Whoever added them by hand has them among the default rules from here on: elsewhere they would act ahead of the rules
 * for one class. Whoever deleted one does not get it back.
 */
import { defaultRules } from '@picket/shared/policy/default-rules';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { AccessTables } from '../access-tables.ts';
import type { RuleRow } from '../rule-tables.ts';

const ids = new Set(['019a0000-0000-7000-8000-000000000009', '019a0000-0000-7000-8000-00000000000a']);
/** A policy takes no more. */
const maxRules = 200;

export const lastingRules: Migration = {
  async up(database: Kysely<unknown>) {
    const tables = database as Kysely<AccessTables & { rules: RuleRow }>;
    const now = new Date().toISOString();
    for (const rule of defaultRules.filter(({ id }) => ids.has(id))) {
      const stored = await tables.selectFrom('rules').select(['id', 'name']).execute();
      if (stored.some(({ id }) => id === rule.id)) continue;
      const byHand = stored.find(({ name }) => name === rule.name);
      if (byHand !== undefined) {
        await tables
          .updateTable('rules')
          .set((set) => ({ id: rule.id, version: set('version', '+', 1) }))
          .where('id', '=', byHand.id)
          .execute();
        continue;
      }
      const deleted = await tables
        .selectFrom('audit_log')
        .select('sequence')
        .where('what', '=', 'rule.delete')
        .where('on_what', '=', `rule ${rule.id}`)
        .limit(1)
        .executeTakeFirst();
      if (deleted !== undefined || stored.length >= maxRules) continue;
      const { devices: _members, ...columns } = rule;
      await tables
        .insertInto('rules')
        .values({
          ...columns,
          is_enabled: 1,
          classes: JSON.stringify(rule.classes),
          device_ladder: JSON.stringify(rule.device_ladder),
          escalation: rule.escalation === null ? null : JSON.stringify(rule.escalation),
          schedule: null,
          gateway_id: null,
          device_type: null,
          webhook_url: null,
          version: 1,
          created_at: now,
          updated_at: now,
          updated_by: null,
        })
        .execute();
    }
  },
};
