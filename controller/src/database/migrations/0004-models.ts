/** Model bundles and what is wanted of which gateway. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { bytesType } from '../dialect.ts';

export const models: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('model_bundles')
      .addColumn('manifest_sha256', 'text', (column) => column.primaryKey())
      .addColumn('version', 'text', (column) => column.notNull().unique())
      .addColumn('manifest', 'text', (column) => column.notNull())
      .addColumn('size_bytes', 'integer', (column) => column.notNull())
      .addColumn('uploaded_by', 'text', (column) => column.notNull())
      .addColumn('uploaded_at', 'text', (column) => column.notNull())
      .addColumn('activated_at', 'text')
      .addColumn('is_active', 'integer', (column) => column.notNull().check(sql`is_active in (0, 1)`))
      .addColumn('replaced', 'text')
      .execute();
    await database.schema
      .createTable('model_bundle_files')
      .addColumn('manifest_sha256', 'text', (column) =>
        column.notNull().references('model_bundles.manifest_sha256').onDelete('cascade'),
      )
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('bytes', bytesType(database), (column) => column.notNull())
      .addPrimaryKeyConstraint('model_bundle_files_key', ['manifest_sha256', 'name'])
      .execute();
    await database.schema
      .createTable('gateway_bundles')
      .addColumn('gateway_id', 'text', (column) => column.primaryKey().references('gateways.id').onDelete('cascade'))
      .addColumn('manifest_sha256', 'text', (column) => column.notNull().references('model_bundles.manifest_sha256'))
      .execute();
  },
};
