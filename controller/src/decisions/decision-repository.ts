/** Decisions and where they stand on each gateway. How they came there is read in `decision-log-repository.ts`. */
import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';
import type { DecisionEventRow, DecisionRow, DecisionStateRow } from '../database/decision-tables.ts';
import { newestFirst, type RowsWanted } from '../database/keyset.ts';
import { excluded, inChunks } from '../database/upsert.ts';
import { active, concerns, heldBy, standsOn, unanswered } from './decision-conditions.ts';

export interface DecisionFilter {
  readonly active?: boolean | undefined;
  readonly scope?: DecisionRow['scope'] | undefined;
  readonly value?: string | undefined;
  readonly origin?: DecisionRow['origin'] | undefined;
  readonly gateway?: string | undefined;
  readonly device?: string | undefined;
}

export interface DecisionWithStates {
  readonly decision: Selectable<DecisionRow>;
  readonly states: readonly Selectable<DecisionStateRow>[];
}

export class DecisionRepository {
  readonly #reader: Executor;
  readonly #writer: Executor;

  constructor(database: Pick<Database, 'reader' | 'writer'>) {
    this.#reader = database.reader;
    this.#writer = database.writer;
  }

  /** Newest first, at most `limit + 1`. */
  async list(filter: DecisionFilter, now: string, page: RowsWanted): Promise<DecisionWithStates[]> {
    let query = this.#reader.selectFrom('decisions').selectAll('decisions');
    if (filter.active === true) query = query.where((eb) => active(eb, now));
    if (filter.active === false) query = query.where((eb) => eb.not(active(eb, now)));
    if (filter.scope !== undefined) query = query.where('scope', '=', filter.scope);
    if (filter.value !== undefined) query = query.where('value', '=', filter.value);
    if (filter.origin !== undefined) query = query.where('origin', '=', filter.origin);
    const { gateway, device } = filter;
    if (gateway !== undefined) query = query.where((eb) => standsOn(eb, gateway));
    if (device !== undefined) query = query.where((eb) => concerns(eb, device));
    const rows = await newestFirst(query, ['created_at', 'id'], page).execute();
    return this.#withStates(this.#reader, rows);
  }

  async countActive(now: string, gateway?: string): Promise<number> {
    let query = this.#reader
      .selectFrom('decisions')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where((eb) => active(eb, now));
    if (gateway !== undefined) query = query.where((eb) => heldBy(eb, gateway));
    return (await query.executeTakeFirstOrThrow()).count;
  }

  async find(id: string): Promise<DecisionWithStates | undefined> {
    return (await this.byIds([id]))[0];
  }

  /** Oldest first. */
  async byIds(ids: readonly string[], executor: Executor = this.#reader): Promise<DecisionWithStates[]> {
    const found: DecisionWithStates[] = [];
    for (const chunk of inChunks(ids)) {
      const rows = await executor.selectFrom('decisions').selectAll().where('id', 'in', chunk).orderBy('id').execute();
      found.push(...(await this.#withStates(executor, rows)));
    }
    return found;
  }

  /** Made for this alert, oldest first; the latest 100. */
  async ofAlert(alertId: string, ids: readonly string[]): Promise<DecisionWithStates[]> {
    const rows = await this.#reader
      .selectFrom('decisions')
      .selectAll()
      .where((eb) => eb.or([eb('alert_id', '=', alertId), ...(ids.length === 0 ? [] : [eb('id', 'in', [...ids])])]))
      .orderBy('created_at', 'desc')
      .limit(100)
      .execute();
    return this.#withStates(this.#reader, rows.toReversed());
  }

  /** Active ones of exactly this value. */
  async activeOfValue(value: string, now: string): Promise<DecisionWithStates[]> {
    const rows = await this.#reader
      .selectFrom('decisions')
      .selectAll('decisions')
      .where('value', '=', value)
      .where((eb) => active(eb, now))
      .limit(1000)
      .execute();
    return this.#withStates(this.#reader, rows);
  }

  /** Every active one; at most `limit`. */
  async active(now: string, limit: number): Promise<DecisionWithStates[]> {
    const rows = await this.#reader
      .selectFrom('decisions')
      .selectAll('decisions')
      .where((eb) => active(eb, now))
      .limit(limit)
      .execute();
    return this.#withStates(this.#reader, rows);
  }

  /** Made or lifted at the controller, and some gateway has not answered yet; at most `limit`. */
  async unanswered(now: string, limit: number): Promise<DecisionWithStates[]> {
    const rows = await this.#reader
      .selectFrom('decisions')
      .selectAll('decisions')
      .where('expires_at', '>', now)
      .where(unanswered)
      .limit(limit)
      .execute();
    return this.#withStates(this.#reader, rows);
  }

  async alertExists(id: string): Promise<boolean> {
    const row = await this.#reader.selectFrom('alerts').select('id').where('id', '=', id).executeTakeFirst();
    return row !== undefined;
  }

  /** A decision of the controller's with its first state on each gateway. */
  async insert(
    decision: Selectable<DecisionRow>,
    states: readonly Selectable<DecisionStateRow>[],
    events: readonly Selectable<DecisionEventRow>[],
  ): Promise<void> {
    await this.#writer.transaction().execute(async (transaction) => {
      await this.insertNew(transaction, [decision]);
      await this.upsertStates(transaction, states);
      await this.insertEvents(transaction, events);
    });
  }

  async lift(ids: readonly string[], who: string, now: string): Promise<void> {
    for (const chunk of inChunks(ids)) {
      await this.#writer
        .updateTable('decisions')
        .set({ lifted_at: now, lifted_by: who })
        .where('id', 'in', chunk)
        .where('lifted_at', 'is', null)
        .execute();
    }
  }

  /** What is already known of a decision never changes; each id once in `rows`. */
  async insertNew(executor: Executor, rows: readonly Selectable<DecisionRow>[]): Promise<void> {
    for (const chunk of inChunks(rows)) {
      await executor
        .insertInto('decisions')
        .values([...chunk])
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    }
  }

  /** Each decision and gateway once in `rows`. */
  async upsertStates(executor: Executor, rows: readonly Selectable<DecisionStateRow>[]): Promise<void> {
    for (const chunk of inChunks(rows)) {
      await executor
        .insertInto('decision_states')
        .values([...chunk])
        .onConflict((conflict) =>
          conflict.columns(['decision_id', 'gateway_id']).doUpdateSet((eb) => excluded(eb, ['state', 'at', 'detail'])),
        )
        .execute();
    }
  }

  async insertEvents(executor: Executor, rows: readonly Selectable<DecisionEventRow>[]): Promise<void> {
    for (const chunk of inChunks(rows)) {
      await executor
        .insertInto('decision_events')
        .values([...chunk])
        .execute();
    }
  }

  async #withStates(executor: Executor, decisions: readonly Selectable<DecisionRow>[]): Promise<DecisionWithStates[]> {
    const states = new Map<string, Selectable<DecisionStateRow>[]>();
    for (const chunk of inChunks(decisions)) {
      const rows = await executor
        .selectFrom('decision_states')
        .selectAll()
        .where(
          'decision_id',
          'in',
          chunk.map((decision) => decision.id),
        )
        .orderBy('gateway_id')
        .execute();
      for (const row of rows) {
        const others = states.get(row.decision_id);
        if (others === undefined) states.set(row.decision_id, [row]);
        else others.push(row);
      }
    }
    return decisions.map((decision) => ({ decision, states: states.get(decision.id) ?? [] }));
  }
}
