/** Deletes the oldest rows of the high-volume tables, a few at a time, so that whoever writes next never waits long. */
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';

/** Tables that grow with traffic, with the key of a row. */
const keys = {
  flows: ['gateway_id', 'flow_id'],
  flow_labels: ['gateway_id', 'flow_id'],
  predictions: ['id'],
  minute_counters: ['device_id', 'minute', 'source'],
  decision_events: ['id'],
  ingest_gaps: ['gateway_id', 'epoch', 'channel', 'from_seq'],
} as const;
export type AgingTable = keyof typeof keys;

const rowsAtOnce = 2000;

export class RetentionRepository {
  readonly #reader: Executor;
  readonly #writer: Executor;

  constructor(database: Pick<Database, 'reader' | 'writer'>) {
    this.#reader = database.reader;
    this.#writer = database.writer;
  }

  /** `recorded_at` of the oldest row that stays where `most` rows may; undefined where there are fewer. */
  async oldestKept(table: AgingTable, most: number): Promise<string | undefined> {
    const row = await this.#reader
      .selectFrom(table)
      .select('recorded_at')
      .orderBy('recorded_at', 'desc')
      .limit(1)
      .offset(most - 1)
      .executeTakeFirst();
    return row?.recorded_at;
  }

  /** Deletes some rows recorded before `cutoff`; how many: fewer than at once means that none is left. */
  async deleteSome(table: AgingTable, cutoff: string): Promise<{ deleted: number; done: boolean }> {
    const key = sql.join(keys[table].map((column) => sql.ref(column)));
    const { numAffectedRows } = await sql`delete from ${sql.table(table)} where (${key}) in (
      select ${key} from ${sql.table(table)} where recorded_at < ${cutoff} order by recorded_at limit ${rowsAtOnce}
    )`.execute(this.#writer);
    const deleted = Number(numAffectedRows ?? 0n);
    return { deleted, done: deleted < rowsAtOnce };
  }
}
