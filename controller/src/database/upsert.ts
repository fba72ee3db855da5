/** Pieces of multi-row statements that several repositories write. */
import type { ExpressionBuilder, ExpressionWrapper } from 'kysely';

/** Rows per statement: below the 32,766 parameters of SQLite at 40 columns. */
const rowsPerStatement = 500;

export function* inChunks<T>(rows: readonly T[], size: number = rowsPerStatement): Generator<readonly T[]> {
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
}

/** `{a: excluded.a, b: excluded.b}` for the columns named, for `doUpdateSet`. */
export function excluded<DB, TB extends keyof DB, Column extends string>(
  eb: ExpressionBuilder<DB, TB>,
  columns: readonly Column[],
): Record<Column, ExpressionWrapper<DB, TB, never>> {
  const builder = eb as unknown as { ref(column: string): ExpressionWrapper<DB, TB, never> };
  return Object.fromEntries(columns.map((column) => [column, builder.ref(`excluded.${column}`)])) as Record<
    Column,
    ExpressionWrapper<DB, TB, never>
  >;
}
