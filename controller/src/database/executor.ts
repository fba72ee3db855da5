/** What repositories run their statements on: the reader, the writer, or a transaction that a caller opened. */
import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export type Executor = Kysely<Tables>;
