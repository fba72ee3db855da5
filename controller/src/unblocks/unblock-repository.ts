/** Unblocks and the answers to them. */
import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';
import { newestFirst, type RowsWanted } from '../database/keyset.ts';
import type { UnblockGatewaysTable, UnblocksTable } from '../database/unblock-tables.ts';
import { excluded, inChunks } from '../database/upsert.ts';

export interface UnblockWithAnswers {
  readonly unblock: Selectable<UnblocksTable>;
  readonly answers: readonly Selectable<UnblockGatewaysTable>[];
}

/** States in which a gateway is asked again. */
const open = ['owing', 'failed'];

export class UnblockRepository {
  readonly #reader: Executor;
  readonly #writer: Executor;

  constructor(database: Pick<Database, 'reader' | 'writer'>) {
    this.#reader = database.reader;
    this.#writer = database.writer;
  }

  /** Newest first, at most `limit + 1`. */
  async list(page: RowsWanted): Promise<UnblockWithAnswers[]> {
    const query = this.#reader.selectFrom('unblocks').selectAll();
    return this.#withAnswers(this.#reader, await newestFirst(query, ['asked_at', 'id'], page).execute());
  }

  async byIds(ids: readonly string[], executor: Executor = this.#reader): Promise<UnblockWithAnswers[]> {
    if (ids.length === 0) return [];
    const rows = await executor
      .selectFrom('unblocks')
      .selectAll()
      .where('id', 'in', [...ids])
      .execute();
    return this.#withAnswers(executor, rows);
  }

  /** With an answer owed by each gateway. */
  async insert(unblock: Selectable<UnblocksTable>, gateways: readonly string[]): Promise<void> {
    await this.#writer.transaction().execute(async (transaction) => {
      await transaction.insertInto('unblocks').values(unblock).execute();
      for (const chunk of inChunks(gateways))
        await transaction
          .insertInto('unblock_gateways')
          .values(
            chunk.map((id) => ({ unblock_id: unblock.id, gateway_id: id, state: 'owing', at: null, proof: null })),
          )
          .execute();
    });
  }

  /** Asked since `since`, oldest first, at most 100; a gateway that was revoked owes nothing. */
  async owedBy(gateway: string, since: string): Promise<Selectable<UnblocksTable>[]> {
    return this.#reader
      .selectFrom('unblocks')
      .innerJoin('unblock_gateways', 'unblock_gateways.unblock_id', 'unblocks.id')
      .selectAll('unblocks')
      .where('unblock_gateways.gateway_id', '=', gateway)
      .where('unblock_gateways.state', 'in', open)
      .where('unblocks.asked_at', '>', since)
      .orderBy('unblocks.asked_at')
      .limit(100)
      .execute();
  }

  /** Gateways that are there and owe an answer to an unblock asked since `since`. */
  async owingOnline(since: string): Promise<string[]> {
    const rows = await this.#reader
      .selectFrom('unblock_gateways')
      .innerJoin('unblocks', 'unblocks.id', 'unblock_gateways.unblock_id')
      .innerJoin('gateways', 'gateways.id', 'unblock_gateways.gateway_id')
      .select('unblock_gateways.gateway_id')
      .distinct()
      .where('unblock_gateways.state', 'in', open)
      .where('unblocks.asked_at', '>', since)
      .where('gateways.online', '=', 1)
      .where('gateways.revoked_at', 'is', null)
      .execute();
    return rows.map((row) => row.gateway_id);
  }

  /** Only to unblocks that this gateway was asked for. Each id once. */
  async answer(
    executor: Executor,
    gateway: string,
    answers: readonly Selectable<UnblockGatewaysTable>[],
  ): Promise<void> {
    const asked = await executor
      .selectFrom('unblock_gateways')
      .select('unblock_id')
      .where('gateway_id', '=', gateway)
      .where(
        'unblock_id',
        'in',
        answers.map((answer) => answer.unblock_id),
      )
      .execute();
    const known = new Set(asked.map((row) => row.unblock_id));
    const fitting = answers.filter((answer) => known.has(answer.unblock_id));
    if (fitting.length === 0) return;
    await executor
      .insertInto('unblock_gateways')
      .values(fitting)
      .onConflict((conflict) =>
        conflict.columns(['unblock_id', 'gateway_id']).doUpdateSet((eb) => excluded(eb, ['state', 'at', 'proof'])),
      )
      .execute();
  }

  async #withAnswers(
    executor: Executor,
    unblocks: readonly Selectable<UnblocksTable>[],
  ): Promise<UnblockWithAnswers[]> {
    if (unblocks.length === 0) return [];
    const rows = await executor
      .selectFrom('unblock_gateways')
      .selectAll()
      .where(
        'unblock_id',
        'in',
        unblocks.map((unblock) => unblock.id),
      )
      .orderBy('gateway_id')
      .execute();
    const answers = Map.groupBy(rows, (row) => row.unblock_id);
    return unblocks.map((unblock) => ({ unblock, answers: answers.get(unblock.id) ?? [] }));
  }
}
