/** The books of ingestion: part of migration 0003. */
import { sql, type Kysely } from 'kysely';
import { countType } from '../dialect.ts';

export async function ingest(database: Kysely<unknown>): Promise<void> {
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
