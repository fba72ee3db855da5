/** Predictions, and the minute counters of those that were not reported one by one. */
import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';
import type { PredictionRow } from '../database/prediction-tables.ts';
import type { MinuteCounterRow } from '../database/traffic-tables.ts';
import { newestFirst, type RowsWanted, type TimeSpan } from '../database/keyset.ts';
import { excluded, inChunks } from '../database/upsert.ts';

export interface PredictionFilter extends TimeSpan {
  readonly device?: string | undefined;
  readonly gateway?: string | undefined;
  readonly label?: PredictionRow['label'] | undefined;
  readonly minScore?: number | undefined;
}

export interface CountFilter extends TimeSpan {
  readonly device?: string | undefined;
  readonly gateway?: string | undefined;
}

export interface PredictionCounts {
  readonly flows: number;
  readonly predictions: number;
  readonly attacks: number;
}

export class PredictionRepository {
  readonly #reader: Executor;

  constructor(database: Pick<Database, 'reader'>) {
    this.#reader = database.reader;
  }

  /** Newest first, at most `limit + 1`. */
  async list(filter: PredictionFilter, page: RowsWanted): Promise<Selectable<PredictionRow>[]> {
    let query = this.#reader.selectFrom('predictions').selectAll();
    if (filter.device !== undefined) query = query.where('device_id', '=', filter.device);
    if (filter.gateway !== undefined) query = query.where('gateway_id', '=', filter.gateway);
    if (filter.label !== undefined) query = query.where('label', '=', filter.label);
    if (filter.minScore !== undefined) query = query.where('score', '>=', filter.minScore);
    if (filter.from !== undefined) query = query.where('recorded_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('recorded_at', '<', filter.to);
    return newestFirst(query, ['recorded_at', 'id'], page).execute();
  }

  find(id: string): Promise<Selectable<PredictionRow> | undefined> {
    return this.#reader.selectFrom('predictions').selectAll().where('id', '=', id).executeTakeFirst();
  }

  latestOf(deviceId: string): Promise<Pick<Selectable<PredictionRow>, 'flows_seen' | 'source'> | undefined> {
    return this.#reader
      .selectFrom('predictions')
      .select(['flows_seen', 'source'])
      .where('device_id', '=', deviceId)
      .orderBy('recorded_at', 'desc')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  /** What the gateways counted. */
  async counts(filter: CountFilter): Promise<PredictionCounts> {
    let query = this.#reader
      .selectFrom('minute_counters')
      .select((eb) => [
        eb.fn.coalesce(eb.fn.sum<number>('flows'), eb.lit(0)).as('flows'),
        eb.fn.coalesce(eb.fn.sum<number>('predictions'), eb.lit(0)).as('predictions'),
        eb.fn.coalesce(eb.fn.sum<number>('attacks'), eb.lit(0)).as('attacks'),
      ]);
    if (filter.device !== undefined) query = query.where('device_id', '=', filter.device);
    if (filter.gateway !== undefined) query = query.where('gateway_id', '=', filter.gateway);
    if (filter.from !== undefined) query = query.where('recorded_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('recorded_at', '<', filter.to);
    return query.executeTakeFirstOrThrow();
  }

  /** Returns the ids that were not there before; each id once in `rows`. */
  async insert(executor: Executor, rows: readonly Selectable<PredictionRow>[]): Promise<Set<string>> {
    const stored = new Set<string>();
    for (const chunk of inChunks(rows)) {
      const inserted = await executor
        .insertInto('predictions')
        .values([...chunk])
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .execute();
      for (const row of inserted) stored.add(row.id);
    }
    return stored;
  }

  /** Adds to what was counted of the same minute; each key once in `rows`. */
  async addCounters(executor: Executor, rows: readonly Selectable<MinuteCounterRow>[]): Promise<void> {
    for (const chunk of inChunks(rows)) {
      await executor
        .insertInto('minute_counters')
        .values([...chunk])
        .onConflict((conflict) =>
          conflict.columns(['device_id', 'minute', 'source']).doUpdateSet((eb) => ({
            flows: eb('minute_counters.flows', '+', eb.ref('excluded.flows')),
            packets: eb('minute_counters.packets', '+', eb.ref('excluded.packets')),
            bytes: eb('minute_counters.bytes', '+', eb.ref('excluded.bytes')),
            predictions: eb('minute_counters.predictions', '+', eb.ref('excluded.predictions')),
            attacks: eb('minute_counters.attacks', '+', eb.ref('excluded.attacks')),
            max_score: eb
              .case()
              .when('excluded.max_score', '>', eb.ref('minute_counters.max_score'))
              .then(eb.ref('excluded.max_score'))
              .else(eb.ref('minute_counters.max_score'))
              .end(),
            ...excluded(eb, ['recorded_at']),
          })),
        )
        .execute();
    }
  }
}
