/** Rules, and the first of them: part of migration 0003. */
import { defaultRules } from '@picket/shared/policy/default-rules';
import { sql, type Kysely } from 'kysely';
import type { RuleRow, RuleScope } from '../rule-tables.ts';

export async function rules(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('rules')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('is_enabled', 'integer', (column) => column.notNull().check(sql`is_enabled in (0, 1)`))
    .addColumn('threshold', 'double precision')
    .addColumn('classes', 'text', (column) => column.notNull())
    .addColumn('device', 'text')
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('min_windows', 'integer', (column) => column.notNull())
    .addColumn('of_windows', 'integer', (column) => column.notNull())
    .addColumn('min_flows', 'integer', (column) => column.notNull())
    .addColumn('cooldown_seconds', 'integer', (column) => column.notNull())
    .addColumn('duration_seconds', 'integer', (column) => column.notNull())
    .addColumn('mode', 'text')
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addColumn('updated_by', 'text')
    .execute();
  const now = new Date().toISOString();
  // Once, here: whoever deletes a default rule does not want it back at the next start.
  await (database as Kysely<{ rules: Omit<RuleRow, keyof RuleScope> }>)
    .insertInto('rules')
    .values(
      defaultRules.map((rule) => ({
        id: rule.id,
        name: rule.name,
        is_enabled: rule.is_enabled ? 1 : 0,
        threshold: rule.threshold,
        classes: JSON.stringify(rule.classes),
        device: rule.device,
        action: rule.action,
        min_windows: rule.min_windows,
        of_windows: rule.of_windows,
        min_flows: rule.min_flows,
        cooldown_seconds: rule.cooldown_seconds,
        duration_seconds: rule.duration_seconds,
        mode: rule.mode,
        version: 1,
        created_at: now,
        updated_at: now,
        updated_by: null,
      })),
    )
    .execute();
}
