/** Rollouts and the gateways they reached. */
import type { Selectable } from 'kysely';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Database } from '../database/database.ts';
import { lockTable } from '../database/dialect.ts';
import type { Executor } from '../database/executor.ts';
import type { GatewaysTable } from '../database/fleet-tables.ts';
import { newestFirst, type RowsWanted } from '../database/keyset.ts';
import type { RolloutGatewaysTable, RolloutsTable } from '../database/rollout-tables.ts';
import { inChunks } from '../database/upsert.ts';

export interface RolloutWithGateways {
  readonly rollout: Selectable<RolloutsTable>;
  readonly gateways: readonly Selectable<RolloutGatewaysTable>[];
}

type RolloutChange = Partial<Pick<RolloutsTable, 'state' | 'detail' | 'wave'>>;

export class RolloutRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first, at most `limit + 1`. */
  async list(page: RowsWanted): Promise<RolloutWithGateways[]> {
    const query = this.#database.reader.selectFrom('rollouts').selectAll();
    return this.#withGateways(await newestFirst(query, ['started_at', 'id'], page).execute());
  }

  async find(id: string): Promise<RolloutWithGateways | undefined> {
    const rows = await this.#database.reader.selectFrom('rollouts').selectAll().where('id', '=', id).execute();
    return (await this.#withGateways(rows))[0];
  }

  /** The newest one: the only one that can be under way. */
  async latest(): Promise<RolloutWithGateways | undefined> {
    return (await this.list({ limit: 0, offset: 0, after: undefined }))[0];
  }

  /** What is not revoked, by name. */
  async fleet(): Promise<Selectable<GatewaysTable>[]> {
    return this.#database.reader
      .selectFrom('gateways')
      .selectAll()
      .where('revoked_at', 'is', null)
      .orderBy('id')
      .execute();
  }

  async gateway(id: GatewayId): Promise<Selectable<GatewaysTable> | undefined> {
    return this.#database.reader.selectFrom('gateways').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** Of the newest one. */
  async latestId(): Promise<string | undefined> {
    const query = this.#database.reader.selectFrom('rollouts').select('id');
    return (await query.orderBy('started_at', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst())?.id;
  }

  /** Takes the place of one that is under way. */
  async insert(rollout: Selectable<RolloutsTable>): Promise<void> {
    await this.#database.writer.transaction().execute((transaction) => this.insertIn(transaction, rollout));
  }

  /** The same, together with all else that this transaction does. */
  async insertIn(transaction: Executor, rollout: Selectable<RolloutsTable>): Promise<void> {
    await lockTable(transaction, 'rollouts'); // of two controllers the second finds the rollout of the first
    await transaction
      .updateTable('rollouts')
      .set((set) => ({ state: 'superseded', updated_at: rollout.started_at, revision: set('revision', '+', 1) }))
      .where('state', 'in', ['running', 'halted'])
      .execute();
    await transaction.insertInto('rollouts').values(rollout).execute();
  }

  /** False where it was changed meanwhile, by this controller or another one: then nothing is done. */
  async change(
    seen: Selectable<RolloutsTable>,
    change: RolloutChange,
    gateways: readonly Selectable<RolloutGatewaysTable>[],
    now: string,
  ): Promise<boolean> {
    return this.#database.writer.transaction().execute(async (transaction) => {
      const changed = await transaction
        .updateTable('rollouts')
        .set({ ...change, updated_at: now, revision: seen.revision + 1 })
        .where('id', '=', seen.id)
        .where('revision', '=', seen.revision)
        .executeTakeFirst();
      if (changed.numUpdatedRows !== 1n) return false;
      for (const chunk of inChunks(gateways))
        await transaction
          .insertInto('rollout_gateways')
          .values([...chunk])
          .onConflict((conflict) =>
            conflict.columns(['rollout_id', 'gateway_id']).doUpdateSet((eb) => ({
              state: eb.ref('excluded.state'),
              version: eb.ref('excluded.version'),
              reverted_version: eb.ref('excluded.reverted_version'),
              released_at: eb.ref('excluded.released_at'),
              detail: eb.ref('excluded.detail'),
            })),
          )
          .execute();
      return true;
    });
  }

  async #withGateways(rollouts: readonly Selectable<RolloutsTable>[]): Promise<RolloutWithGateways[]> {
    if (rollouts.length === 0) return [];
    const rows = await this.#database.reader
      .selectFrom('rollout_gateways')
      .selectAll()
      .where(
        'rollout_id',
        'in',
        rollouts.map((rollout) => rollout.id),
      )
      .orderBy('gateway_id')
      .execute();
    const gateways = Map.groupBy(rows, (row) => row.rollout_id);
    return rollouts.map((rollout) => ({ rollout, gateways: gateways.get(rollout.id) ?? [] }));
  }
}
