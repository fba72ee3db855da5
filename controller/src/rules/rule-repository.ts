/** Prevention rules in the database. What changes them writes down their rollout in the same transaction. */
import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import { isUniqueViolation } from '../database/dialect.ts';
import type { Executor } from '../database/executor.ts';
import type { RuleRow } from '../database/rule-tables.ts';
import { newestFirst, type RowsWanted } from '../database/keyset.ts';
import type { StageRollout } from './policy-publisher.ts';

export type StoredRuleRow = Selectable<RuleRow>;

export class RuleRepository {
  readonly #reader: Executor;
  readonly #writer: Executor;

  constructor(database: Pick<Database, 'reader' | 'writer'>) {
    this.#reader = database.reader;
    this.#writer = database.writer;
  }

  /** Newest first, at most `limit + 1`. */
  async list(page: RowsWanted): Promise<StoredRuleRow[]> {
    return newestFirst(this.#reader.selectFrom('rules').selectAll(), ['created_at', 'id'], page).execute();
  }

  /** In the order of their ids. */
  all(): Promise<StoredRuleRow[]> {
    return this.#reader.selectFrom('rules').selectAll().orderBy('id').execute();
  }

  find(id: string): Promise<StoredRuleRow | undefined> {
    return this.#reader.selectFrom('rules').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** `taken`: the name is another rule's; `full`: there are `most` already. */
  async insert(row: StoredRuleRow, most: number, stage: StageRollout): Promise<'stored' | 'taken' | 'full'> {
    return orTaken(() =>
      this.#writer.transaction().execute(async (transaction) => {
        const { count } = await transaction
          .selectFrom('rules')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow();
        if (count >= most) return 'full' as const;
        await transaction.insertInto('rules').values(row).execute();
        await stage(transaction);
        return 'stored' as const;
      }),
    );
  }

  /** `stale`: it is no longer at this version. */
  async update(
    id: string,
    version: number,
    values: Partial<Omit<StoredRuleRow, 'id'>>,
    stage: StageRollout,
  ): Promise<'stored' | 'stale' | 'taken'> {
    return orTaken(() =>
      this.#writer.transaction().execute(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('rules')
          .set({ ...values, version: version + 1 })
          .where('id', '=', id)
          .where('version', '=', version)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows !== 1n) return 'stale' as const;
        await stage(transaction);
        return 'stored' as const;
      }),
    );
  }

  delete(id: string, version: number, stage: StageRollout): Promise<'deleted' | 'stale'> {
    return this.#writer.transaction().execute(async (transaction) => {
      const { numDeletedRows } = await transaction
        .deleteFrom('rules')
        .where('id', '=', id)
        .where('version', '=', version)
        .executeTakeFirstOrThrow();
      if (numDeletedRows !== 1n) return 'stale' as const;
      await stage(transaction);
      return 'deleted' as const;
    });
  }
}

async function orTaken<T>(write: () => Promise<T>): Promise<T | 'taken'> {
  try {
    return await write();
  } catch (error) {
    if (isUniqueViolation(error)) return 'taken';
    throw error;
  }
}
