import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** The two connections a dialect opens, and how they end. */
export interface OpenConnections extends AsyncDisposable {
  readonly reader: Kysely<Tables>;
  readonly writer: Kysely<Tables>;
}
