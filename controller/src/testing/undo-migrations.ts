/** A database as an earlier build left it, so that tests can upgrade it. */
import type { Database } from '../database/database.ts';

/** Takes back what migrations from this number on added to the schema, and forgets that they ran. What they wrote stays. */
export async function undoMigrations({ writer }: Database, from: '0009' | '0010'): Promise<void> {
  await writer.schema.alterTable('alerts').dropColumn('returns').execute(); // 0012
  await writer.schema.alterTable('alerts').dropColumn('is_plain').execute(); // 0011
  await writer
    .deleteFrom('kysely_migration' as never)
    .where('name' as never, '>=', from as never)
    .execute();
}
