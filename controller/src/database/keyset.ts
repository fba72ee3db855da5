/** Which rows of a list are wanted, and what a list gives back: doors and repositories speak it, services pass it on. */
import { sql, type SelectQueryBuilder, type SqlBool } from 'kysely';

/** At most `limit` rows after the row with the sort key `after`, or after `offset` rows. */
export interface RowsWanted {
  readonly limit: number;
  readonly offset: number;
  readonly after: readonly string[] | undefined;
}

/** `from` inclusive, `to` exclusive. */
export interface TimeSpan {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** An entry of a list with its sort key. A list holds up to `limit + 1` of them: the extra one says that there are more. */
export interface Keyed<T> {
  readonly key: readonly string[];
  readonly item: T;
}

/**
 * Newest first by `time`, then `id` (names of columns), at most `limit + 1` rows. Rows that come in between are neither
 * repeated nor skipped, because the next page begins after a key and not after a count; a row whose `time` rises
 * meanwhile is found by reading from the start again.
 */
export function newestFirst<Tables, Names extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Names, Row>,
  [time, id]: readonly [time: string, id: string],
  page: RowsWanted,
): SelectQueryBuilder<Tables, Names, Row> {
  const [afterTime = '', afterId = ''] = page.after ?? [];
  const remaining =
    page.after === undefined
      ? query
      : query.where(sql<SqlBool>`(${sql.ref(time)}, ${sql.ref(id)}) < (${afterTime}, ${afterId})`);
  return remaining
    .orderBy(sql.ref(time), 'desc')
    .orderBy(sql.ref(id), 'desc')
    .limit(page.limit + 1)
    .offset(page.offset);
}
