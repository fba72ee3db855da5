/** How many alerts there are, of which kind and when: read for the figures, and never more than counts. */
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';
import { matching, type AlertFilter } from './alert-filter.ts';

export type AlertDimension = 'alert_type' | 'class' | 'severity' | 'status';

export class AlertCountRepository {
  readonly #reader: Executor;

  constructor(database: Pick<Database, 'reader'>) {
    this.#reader = database.reader;
  }

  async count(filter: AlertFilter): Promise<number> {
    const { count } = await this.#reader
      .selectFrom('alerts')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where((eb) => matching(eb, filter))
      .executeTakeFirstOrThrow();
    return count;
  }

  async countOpened(since: string, gateway?: string): Promise<number> {
    const { count } = await this.#reader
      .selectFrom('alerts')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where((eb) => matching(eb, { gateway }))
      .where('created_at', '>=', since)
      .executeTakeFirstOrThrow();
    return count;
  }

  countBy(dimension: AlertDimension, filter: AlertFilter): Promise<{ key: string; count: number }[]> {
    return this.#reader
      .selectFrom('alerts')
      .select((eb) => [eb.ref(dimension).$castTo<string>().as('key'), eb.fn.countAll<number>().as('count')])
      .where((eb) => matching(eb, filter))
      .groupBy(dimension)
      .execute();
  }

  /** Alerts opened per stretch of time; the first `prefix` characters of an instant name its stretch. */
  countOverTime(prefix: number, filter: AlertFilter): Promise<{ key: string; count: number }[]> {
    const key = sql<string>`substr(created_at, 1, ${sql.lit(prefix)})`;
    return this.#reader
      .selectFrom('alerts')
      .select((eb) => [key.as('key'), eb.fn.countAll<number>().as('count')])
      .where((eb) => matching(eb, filter))
      .groupBy(key)
      .orderBy('key')
      .execute();
  }
}
