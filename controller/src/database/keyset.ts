/** Which rows of a list are wanted, and what a list gives back: doors and repositories speak it, services pass it on. */

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
