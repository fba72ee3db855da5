/** Figures over the whole history that belong to no single feature. */
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';
import type { TimeSpan } from '../database/keyset.ts';

export interface ScoreFilter extends TimeSpan {
  readonly device?: string | undefined;
  readonly gateway?: string | undefined;
}

export interface CountedStretch {
  readonly key: string;
  readonly predictions: number;
  readonly attacks: number;
  readonly max_score: number;
}

export class DashboardRepository {
  readonly #reader: Executor;

  constructor(database: Pick<Database, 'reader'>) {
    this.#reader = database.reader;
  }

  /** What the gateways counted, per stretch that the first `prefix` characters of an instant name. */
  counted(prefix: number, filter: ScoreFilter): Promise<CountedStretch[]> {
    const key = sql<string>`substr(recorded_at, 1, ${sql.lit(prefix)})`;
    let query = this.#reader
      .selectFrom('minute_counters')
      .select((eb) => [
        key.as('key'),
        eb.fn.sum<number>('predictions').as('predictions'),
        eb.fn.sum<number>('attacks').as('attacks'),
        eb.fn.max<number>('max_score').as('max_score'),
      ]);
    if (filter.device !== undefined) query = query.where('device_id', '=', filter.device);
    if (filter.gateway !== undefined) query = query.where('gateway_id', '=', filter.gateway);
    if (filter.from !== undefined) query = query.where('recorded_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('recorded_at', '<', filter.to);
    return query.groupBy(key).orderBy('key').execute();
  }

  /** Of the predictions that were reported in full. */
  scores(prefix: number, filter: ScoreFilter): Promise<{ key: string; mean: number; max: number }[]> {
    const key = sql<string>`substr(recorded_at, 1, ${sql.lit(prefix)})`;
    let query = this.#reader
      .selectFrom('predictions')
      .select((eb) => [key.as('key'), eb.fn.avg<number>('score').as('mean'), eb.fn.max<number>('score').as('max')]);
    if (filter.device !== undefined) query = query.where('device_id', '=', filter.device);
    if (filter.gateway !== undefined) query = query.where('gateway_id', '=', filter.gateway);
    if (filter.from !== undefined) query = query.where('recorded_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('recorded_at', '<', filter.to);
    return query.groupBy(key).orderBy('key').execute();
  }

  async losses(gateway?: string): Promise<{ lost: number; rejected: number }> {
    let query = this.#reader
      .selectFrom('ingest_totals')
      .select((eb) => [
        eb.fn.coalesce(eb.fn.sum<number>('lost'), eb.lit(0)).as('lost'),
        eb.fn.coalesce(eb.fn.sum<number>('rejected'), eb.lit(0)).as('rejected'),
      ]);
    if (gateway !== undefined) query = query.where('gateway_id', '=', gateway);
    return query.executeTakeFirstOrThrow();
  }
}
