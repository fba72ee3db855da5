/** Alerts, the work on them, and decisions: part of migration 0003. */
import { sql, type Kysely } from 'kysely';
import { countType } from '../dialect.ts';

export async function alerts(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('alerts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('device_id', 'text')
    .addColumn('device_address', 'text', (column) => column.notNull())
    .addColumn('device_name', 'text', (column) => column.notNull())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('alert_type', 'text', (column) => column.notNull())
    .addColumn('class', 'text', (column) => column.notNull())
    .addColumn('severity', 'text', (column) =>
      column.notNull().check(sql`severity in ('low', 'medium', 'high', 'critical')`),
    )
    .addColumn('severity_by_person', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('score', 'double precision', (column) => column.notNull())
    .addColumn('peer', 'text')
    .addColumn('first_seen_at', 'text', (column) => column.notNull())
    .addColumn('last_seen_at', 'text', (column) => column.notNull())
    .addColumn('count', countType(database), (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('explanation', 'text')
    .addColumn('evidence', 'text', (column) => column.notNull())
    .addColumn('prediction_id', 'text', (column) => column.notNull())
    .addColumn('rule_id', 'text')
    .addColumn('decision_ids', 'text', (column) => column.notNull())
    .addColumn('action_taken', 'text', (column) => column.notNull())
    .addColumn('simulated', 'integer', (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('model_version', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) =>
      column.notNull().check(sql`status in ('active', 'acknowledged', 'investigating', 'resolved', 'false_positive')`),
    )
    .addColumn('assignee', 'text')
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('acknowledged_by', 'text')
    .addColumn('acknowledged_at', 'text')
    .addColumn('resolved_by', 'text')
    .addColumn('resolved_at', 'text')
    .addColumn('resolution_notes', 'text')
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('alerts_created').on('alerts').columns(['created_at', 'id']).execute();
  await database.schema
    .createIndex('alerts_workflow')
    .on('alerts')
    .columns(['status', 'severity', 'recorded_at'])
    .execute();
  await database.schema.createIndex('alerts_device').on('alerts').columns(['device_id', 'created_at']).execute();
  await database.schema.createIndex('alerts_class').on('alerts').columns(['class', 'created_at']).execute();
  await database.schema
    .createTable('alert_entities')
    .addColumn('alert_id', 'text', (column) => column.notNull().references('alerts.id').onDelete('cascade'))
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('alert_entities_key', ['alert_id', 'kind', 'role'])
    .execute();
  await database.schema
    .createIndex('alert_entities_value')
    .on('alert_entities')
    .columns(['kind', 'value', 'alert_id'])
    .execute();
  await database.schema
    .createTable('alert_history')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('alert_id', 'text', (column) => column.notNull().references('alerts.id').onDelete('cascade'))
    .addColumn('who', 'text', (column) => column.notNull())
    .addColumn('from_status', 'text', (column) => column.notNull())
    .addColumn('to_status', 'text', (column) => column.notNull())
    .addColumn('note', 'text')
    .addColumn('at', 'text', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('alert_history_alert').on('alert_history').columns(['alert_id', 'id']).execute();
}

export async function decisions(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('decisions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('origin', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('direction', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('scenario', 'text', (column) => column.notNull())
    .addColumn('mode', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .addColumn('alert_id', 'text')
    .addColumn('rule_id', 'text')
    .addColumn('made_by_gateway', 'text')
    .addColumn('lifted_at', 'text')
    .addColumn('lifted_by', 'text')
    .execute();
  await database.schema.createIndex('decisions_created').on('decisions').columns(['created_at', 'id']).execute();
  await database.schema.createIndex('decisions_expiry').on('decisions').column('expires_at').execute();
  await database.schema.createIndex('decisions_value').on('decisions').column('value').execute();
  await database.schema.createIndex('decisions_alert').on('decisions').column('alert_id').execute();
  await database.schema
    .createTable('decision_states')
    .addColumn('decision_id', 'text', (column) => column.notNull().references('decisions.id').onDelete('cascade'))
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('detail', 'text')
    .addPrimaryKeyConstraint('decision_states_key', ['decision_id', 'gateway_id'])
    .execute();
  await database.schema.createIndex('decision_states_gateway').on('decision_states').column('gateway_id').execute();
  await database.schema
    .createTable('decision_events')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('decision_id', 'text', (column) => column.notNull().references('decisions.id').onDelete('cascade'))
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('detail', 'text')
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .execute();
  await database.schema
    .createIndex('decision_events_recorded')
    .on('decision_events')
    .columns(['recorded_at', 'id'])
    .execute();
  await database.schema
    .createIndex('decision_events_decision')
    .on('decision_events')
    .columns(['decision_id', 'id'])
    .execute();
}
