/** A database as an earlier build left it, so that tests can upgrade it. */
import type { Database } from '../database/database.ts';

/** Takes back what migrations from this number on added to the schema, and forgets that they ran. What they wrote stays. */
export async function undoMigrations({ writer }: Database, from: '0009' | '0010' | '0013'): Promise<void> {
  await writer.schema.dropTable('raised_clock').execute(); // 0014
  for (const index of ['alerts_raised', 'alerts_status_raised']) await writer.schema.dropIndex(index).execute(); // 0013
  const columns = from === '0013' ? ['raised_at'] : ['raised_at', 'returns', 'is_plain']; // 0013, 0012, 0011
  for (const column of columns) await writer.schema.alterTable('alerts').dropColumn(column).execute();
  await writer
    .deleteFrom('kysely_migration' as never)
    .where('name' as never, '>=', from as never)
    .execute();
}
