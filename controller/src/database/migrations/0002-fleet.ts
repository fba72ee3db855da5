/** Gateways, enrolment, certificates and twin. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { countType } from '../dialect.ts';

export const fleet: Migration = {
  async up(database: Kysely<unknown>) {
    await gateways(database);
    await authority(database);
    await twin(database);
  },
};

async function gateways(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('gateways')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('labels', 'text', (column) => column.notNull())
    .addColumn('mode', 'text', (column) => column.notNull().check(sql`mode in ('observe', 'simulate', 'enforce')`))
    .addColumn('threshold', 'double precision')
    .addColumn('guard', 'text', (column) => column.notNull())
    .addColumn('benign_sample', 'double precision', (column) => column.notNull())
    .addColumn('enrolled_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'text')
    .addColumn('revoked_by', 'text')
    .addColumn('online', 'integer', (column) => column.notNull().check(sql`online in (0, 1)`))
    .addColumn('boot_id', 'text')
    .addColumn('presence_at', 'text')
    .addColumn('presence_changed_at', 'text')
    .addColumn('link_address', 'text')
    .addColumn('agent_version', 'text', (column) => column.notNull())
    .addColumn('protocol', 'integer', (column) => column.notNull())
    .addColumn('health', 'text')
    .addColumn('health_at', 'text')
    .addColumn('reported', 'text')
    .addColumn('reported_at', 'text')
    .addColumn('policy_version', countType(database), (column) => column.notNull())
    .addColumn('policy_hash', 'text')
    .addColumn('policy_jws', 'text')
    .addColumn('policy_issued_at', 'text')
    .addColumn('decisions_version', countType(database), (column) => column.notNull())
    .execute();
  await database.schema
    .createTable('gateway_health')
    .addColumn('gateway_id', 'text', (column) => column.notNull().references('gateways.id').onDelete('cascade'))
    .addColumn('minute', 'text', (column) => column.notNull())
    .addColumn('health', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('gateway_health_key', ['gateway_id', 'minute'])
    .execute();
}

async function authority(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('enrolment_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('gateway_id', 'text')
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('used_at', 'text')
    .addColumn('used_by', 'text')
    .execute();
  await database.schema.createIndex('enrolment_tokens_expiry').on('enrolment_tokens').column('expires_at').execute();
  await database.schema
    .createTable('certificates')
    .addColumn('serial', 'text', (column) => column.primaryKey())
    .addColumn('gateway_id', 'text', (column) => column.notNull().references('gateways.id').onDelete('cascade'))
    .addColumn('issued_at', 'text', (column) => column.notNull())
    .addColumn('not_after', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'text')
    .execute();
  await database.schema.createIndex('certificates_gateway').on('certificates').column('gateway_id').execute();
  await database.schema.createIndex('certificates_end').on('certificates').column('not_after').execute();
}

async function twin(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('decision_log')
    .addColumn('gateway_id', 'text', (column) => column.notNull().references('gateways.id').onDelete('cascade'))
    .addColumn('version', countType(database), (column) => column.notNull())
    .addColumn('op', 'text', (column) => column.notNull().check(sql`op in ('add', 'delete')`))
    .addColumn('decision_id', 'text', (column) => column.notNull())
    .addColumn('decision', 'text')
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('decision_log_key', ['gateway_id', 'version'])
    .execute();
  await database.schema
    .createIndex('decision_log_decision')
    .on('decision_log')
    .columns(['gateway_id', 'decision_id'])
    .execute();
  await database.schema.createIndex('decision_log_expiry').on('decision_log').column('expires_at').execute();
}
