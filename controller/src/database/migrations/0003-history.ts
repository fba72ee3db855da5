/** Devices, flows, predictions, alerts, decisions, rules, and the books of ingestion. */
import { defaultRules } from '@picket/shared/policy/default-rules';
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { bytesType, countType } from '../dialect.ts';
import type { RuleRow, RuleScope } from '../rule-tables.ts';

export const history: Migration = {
  async up(database: Kysely<unknown>) {
    await devices(database);
    await traffic(database);
    await predictions(database);
    await alerts(database);
    await decisions(database);
    await rules(database);
    await ingest(database);
  },
};

async function devices(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('devices')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('gateway_id', 'text')
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('device_type', 'text', (column) =>
      column.notNull().check(sql`device_type in ('camera', 'sensor', 'hub', 'actuator', 'smart_plug', 'custom')`),
    )
    .addColumn('ip_address', 'text')
    .addColumn('mac', 'text')
    .addColumn('protocol', 'text')
    .addColumn('port', 'integer')
    .addColumn('traffic_source', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('origin', 'text', (column) => column.notNull().check(sql`origin in ('registered', 'discovered')`))
    .addColumn('monitored', 'integer', (column) => column.notNull().check(sql`monitored in (0, 1)`))
    .addColumn('last_seen_at', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addUniqueConstraint('devices_gateway_address', ['gateway_id', 'ip_address'])
    .execute();
  await database.schema.createIndex('devices_created').on('devices').columns(['created_at', 'id']).execute();
}

async function traffic(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('flows')
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('flow_id', 'text', (column) => column.notNull())
    .addColumn('device_id', 'text', (column) => column.notNull())
    .addColumn('report_number', 'integer', (column) => column.notNull())
    .addColumn('end_reason', 'text', (column) => column.notNull())
    .addColumn('direction', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text', (column) => column.notNull())
    .addColumn('last_packet_at', 'text', (column) => column.notNull())
    .addColumn('src_ip', 'text', (column) => column.notNull())
    .addColumn('src_port', 'integer', (column) => column.notNull())
    .addColumn('dst_ip', 'text', (column) => column.notNull())
    .addColumn('dst_port', 'integer', (column) => column.notNull())
    .addColumn('protocol', 'integer', (column) => column.notNull())
    .addColumn('fwd_packets', countType(database), (column) => column.notNull())
    .addColumn('bwd_packets', countType(database), (column) => column.notNull())
    .addColumn('fwd_bytes', 'double precision', (column) => column.notNull())
    .addColumn('bwd_bytes', 'double precision', (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('features', bytesType(database), (column) => column.notNull())
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('flows_key', ['gateway_id', 'flow_id'])
    .execute();
  await database.schema
    .createIndex('flows_device')
    .on('flows')
    .columns(['device_id', 'recorded_at', 'flow_id'])
    .execute();
  await database.schema.createIndex('flows_recorded').on('flows').column('recorded_at').execute();
  await database.schema
    .createTable('flow_labels')
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('flow_id', 'text', (column) => column.notNull())
    .addColumn('class', 'text', (column) => column.notNull())
    .addColumn('score', 'double precision', (column) => column.notNull())
    .addColumn('prediction_id', 'text', (column) => column.notNull())
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('flow_labels_key', ['gateway_id', 'flow_id'])
    .execute();
  await database.schema.createIndex('flow_labels_recorded').on('flow_labels').column('recorded_at').execute();
}

async function predictions(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('predictions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('device_id', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('score', 'double precision', (column) => column.notNull())
    .addColumn('label', 'text', (column) => column.notNull().check(sql`label in ('benign', 'attack')`))
    .addColumn('class', 'text', (column) => column.notNull())
    .addColumn('class_probabilities', 'text', (column) => column.notNull())
    .addColumn('confidence', 'double precision', (column) => column.notNull())
    .addColumn('threshold', 'double precision', (column) => column.notNull())
    .addColumn('model_version', 'text', (column) => column.notNull())
    .addColumn('window_key', 'text', (column) => column.notNull())
    .addColumn('flows_seen', 'integer', (column) => column.notNull())
    .addColumn('flow_ids', 'text', (column) => column.notNull())
    .addColumn('inference_latency_ms', 'double precision', (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('explanation', 'text')
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('predictions_recorded').on('predictions').columns(['recorded_at', 'id']).execute();
  await database.schema
    .createIndex('predictions_device')
    .on('predictions')
    .columns(['device_id', 'recorded_at', 'id'])
    .execute();
  await database.schema
    .createTable('minute_counters')
    .addColumn('device_id', 'text', (column) => column.notNull())
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('minute', 'text', (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('flows', countType(database), (column) => column.notNull())
    .addColumn('packets', 'double precision', (column) => column.notNull())
    .addColumn('bytes', 'double precision', (column) => column.notNull())
    .addColumn('predictions', countType(database), (column) => column.notNull())
    .addColumn('attacks', countType(database), (column) => column.notNull())
    .addColumn('max_score', 'double precision', (column) => column.notNull())
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('minute_counters_key', ['device_id', 'minute', 'source'])
    .execute();
  await database.schema.createIndex('minute_counters_recorded').on('minute_counters').column('recorded_at').execute();
}

async function alerts(database: Kysely<unknown>): Promise<void> {
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

async function decisions(database: Kysely<unknown>): Promise<void> {
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

async function rules(database: Kysely<unknown>): Promise<void> {
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

async function ingest(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('ingest_watermarks')
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('epoch', 'text', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('upto', countType(database), (column) => column.notNull())
    .addColumn('hole_seq', countType(database))
    .addColumn('hole_since', 'text')
    .addColumn('hole_count', 'integer', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('ingest_watermarks_key', ['gateway_id', 'epoch', 'channel'])
    .execute();
  await database.schema
    .createTable('ingest_gaps')
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('epoch', 'text', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('from_seq', countType(database), (column) => column.notNull())
    .addColumn('to_seq', countType(database), (column) => column.notNull())
    .addColumn('named_by', 'text', (column) => column.notNull().check(sql`named_by in ('gateway', 'controller')`))
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('ingest_gaps_key', ['gateway_id', 'epoch', 'channel', 'from_seq'])
    .execute();
  await database.schema
    .createTable('ingest_rejects')
    .addColumn('gateway_id', 'text', (column) => column.notNull())
    .addColumn('epoch', 'text', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('seq', countType(database), (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('ingest_rejects_key', ['gateway_id', 'epoch', 'channel', 'seq'])
    .execute();
  await database.schema.createIndex('ingest_rejects_age').on('ingest_rejects').columns(['gateway_id', 'at']).execute();
  await database.schema
    .createTable('ingest_totals')
    .addColumn('gateway_id', 'text', (column) => column.primaryKey())
    .addColumn('batches', countType(database), (column) => column.notNull())
    .addColumn('stored', countType(database), (column) => column.notNull())
    .addColumn('duplicates', countType(database), (column) => column.notNull())
    .addColumn('rejected', countType(database), (column) => column.notNull())
    .addColumn('lost', countType(database), (column) => column.notNull())
    .addColumn('last_batch_at', 'text', (column) => column.notNull())
    .execute();
}
