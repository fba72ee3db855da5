/**
 * The default rules for what is a little less sure but goes on, for a controller that had its rules before there were any.
 * Whoever added them by hand has them among the default rules from here on: elsewhere they would act ahead of the rules
 * for one class. Whoever deleted one does not get it back. Gateways get them in waves, as every change of the rules.
 */
import { newId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import { defaultRules } from '@picket/shared/policy/default-rules';
import type { Kysely, Selectable } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { AccessTables } from '../access-tables.ts';
import type { RolloutTables } from '../rollout-tables.ts';
import type { RuleRow } from '../rule-tables.ts';

const ids = new Set(['019a0000-0000-7000-8000-000000000009', '019a0000-0000-7000-8000-00000000000a']);
/** A policy takes no more. */
const maxRules = 200;

type Database = Kysely<AccessTables & RolloutTables & { rules: RuleRow }>;

export const lastingRules: Migration = {
  async up(database: Kysely<unknown>) {
    const tables = database as Database;
    let isChanged = false;
    for (const rule of defaultRules.filter(({ id }) => ids.has(id)))
      isChanged = (await take(tables, rule)) || isChanged;
    if (isChanged) await rollOut(tables);
  },
};

/** False where there is nothing to do. */
async function take(tables: Database, rule: Rule): Promise<boolean> {
  const stored = await tables.selectFrom('rules').selectAll().execute();
  if (stored.some(({ id }) => id === rule.id)) return false;
  const byHand = stored.find(({ name }) => name === rule.name) ?? stored.find((row) => isCopy(row, rule));
  if (byHand !== undefined) {
    await tables
      .updateTable('rules')
      .set((set) => ({ id: rule.id, version: set('version', '+', 1) }))
      .where('id', '=', byHand.id)
      .execute();
    return true;
  }
  const deleted = await tables
    .selectFrom('audit_log')
    .select('sequence')
    .where('what', '=', 'rule.delete')
    .where('on_what', '=', `rule ${rule.id}`)
    .limit(1)
    .executeTakeFirst();
  if (deleted !== undefined || stored.length >= maxRules) return false;
  const now = new Date().toISOString();
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
  return true;
}

/** Under another name, for all: the same attacks, as sure and as often, and the same is done. */
function isCopy(row: Selectable<RuleRow>, rule: Rule): boolean {
  return (
    row.device === null &&
    row.device_type === null &&
    row.gateway_id === null &&
    row.action === rule.action &&
    row.threshold === rule.threshold &&
    row.min_windows === rule.min_windows &&
    row.of_windows === rule.of_windows &&
    row.classes === JSON.stringify(rule.classes)
  );
}

/** In the place of one that is under way; what was rolled back stays so until somebody changes the rules. */
async function rollOut(tables: Database): Promise<void> {
  const latest = await tables
    .selectFrom('rollouts')
    .select('state')
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (latest?.state === 'rolled_back') return;
  const now = new Date().toISOString();
  await tables
    .updateTable('rollouts')
    .set((set) => ({ state: 'superseded', updated_at: now, revision: set('revision', '+', 1) }))
    .where('state', 'in', ['running', 'halted'])
    .execute();
  await tables
    .insertInto('rollouts')
    .values({
      id: newId(),
      state: 'running',
      detail: null,
      wave: null,
      started_at: now,
      started_by: 'system',
      updated_at: now,
      revision: 0,
    })
    .execute();
}
