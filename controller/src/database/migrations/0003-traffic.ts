/** Devices, and what they sent and what was thought of it: part of migration 0003. */
import { sql, type Kysely } from 'kysely';
import { bytesType, countType } from '../dialect.ts';

export async function devices(database: Kysely<unknown>): Promise<void> {
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

export async function traffic(database: Kysely<unknown>): Promise<void> {
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

export async function predictions(database: Kysely<unknown>): Promise<void> {
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
