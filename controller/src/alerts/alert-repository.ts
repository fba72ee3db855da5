/** Alerts, the entities they name and the steps people took. */
import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';
import type { AlertEntityRow, AlertHistoryRow, AlertRow } from '../database/alert-tables.ts';
import { newestFirst, type RowsWanted } from '../database/keyset.ts';
import { excluded, inChunks } from '../database/upsert.ts';
import { matching, type AlertFilter } from './alert-filter.ts';
import type { AlertNews, Standing } from './alert-raising.ts';
import type { AlertWork } from './alert-workflow.ts';
import { nextRaisedAt } from './raised-clock.ts';

/** All that a later revision of the agent replaces; the rest belongs to people. */
const replaced = [
  'device_id',
  'device_address',
  'revision',
  'alert_type',
  'class',
  'score',
  'peer',
  'first_seen_at',
  'last_seen_at',
  'count',
  'message',
  'explanation',
  'evidence',
  'prediction_id',
  'rule_id',
  'decision_ids',
  'action_taken',
  'simulated',
  'is_plain',
  'returns',
  'source',
  'model_version',
  'recorded_at',
  'updated_at',
] as const;

const standing = [
  'revision',
  'status',
  'severity',
  'severity_by_person',
  'score',
  'is_plain',
  'count',
  'returns',
  'raised_at',
] as const;

export class AlertRepository {
  readonly #reader: Executor;
  readonly #writer: Executor;

  constructor(database: Pick<Database, 'reader' | 'writer'>) {
    this.#reader = database.reader;
    this.#writer = database.writer;
  }

  /** What asked for eyes last comes first, at most `limit + 1`. The span takes in every alert that was going on within it. */
  async list(filter: AlertFilter, page: RowsWanted): Promise<Selectable<AlertRow>[]> {
    const query = this.#reader
      .selectFrom('alerts')
      .selectAll()
      .where((eb) => matching(eb, filter));
    return newestFirst(query, ['raised_at', 'id'], page).execute();
  }

  find(id: string): Promise<Selectable<AlertRow> | undefined> {
    return this.#reader.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** Others that name the same device or peer, in the order of lists. */
  related(
    alert: Pick<Selectable<AlertRow>, 'id' | 'device_id' | 'peer'>,
    limit: number,
  ): Promise<Selectable<AlertRow>[]> {
    return this.#reader
      .selectFrom('alerts')
      .selectAll()
      .where('id', '!=', alert.id)
      .where((eb) =>
        eb(
          'id',
          'in',
          eb
            .selectFrom('alert_entities')
            .select('alert_entities.alert_id')
            .where((entity) =>
              entity.or([
                ...(alert.peer === null
                  ? []
                  : [entity.and([entity('kind', '=', 'ip'), entity('value', '=', alert.peer)])]),
                ...(alert.device_id === null
                  ? []
                  : [entity.and([entity('kind', '=', 'device'), entity('value', '=', alert.device_id)])]),
              ]),
            ),
        ),
      )
      .orderBy('raised_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
  }

  history(alertId: string): Promise<Selectable<AlertHistoryRow>[]> {
    return this.#reader.selectFrom('alert_history').selectAll().where('alert_id', '=', alertId).orderBy('id').execute();
  }

  /**
   * Sets `work` and adds `step`, unless someone else moved the alert on from `from` meanwhile: then `stale`. With the time
   * `raised` it asks for eyes anew.
   */
  async work(
    id: string,
    from: AlertRow['status'],
    work: AlertWork,
    step: Selectable<AlertHistoryRow> | undefined,
    raised: Date | undefined,
  ): Promise<Selectable<AlertRow> | 'stale'> {
    return this.#writer.transaction().execute(async (transaction) => {
      // Ahead of the alert's row, as ingestion does: the other way round the two could wait for each other.
      const asked = raised === undefined ? {} : { raised_at: await nextRaisedAt(transaction, raised) };
      const row = await transaction
        .updateTable('alerts')
        .set({ ...work, ...asked })
        .where('id', '=', id)
        .where('status', '=', from)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) return 'stale';
      if (step !== undefined) await transaction.insertInto('alert_history').values(step).execute();
      return row;
    });
  }

  /** How each stands, of those that there are. */
  async standings(executor: Executor, ids: readonly string[]): Promise<Map<string, Standing>> {
    const known = new Map<string, Standing>();
    for (const chunk of inChunks(ids)) {
      const rows = await executor
        .selectFrom('alerts')
        .select(['id', ...standing])
        .where('id', 'in', chunk)
        .execute();
      for (const { id, ...row } of rows) known.set(id, row);
    }
    return known;
  }

  /** Sets `work` and adds `step` within a transaction that has written this alert already. */
  async workWithin(
    executor: Executor,
    id: string,
    work: AlertWork,
    step: Selectable<AlertHistoryRow>,
  ): Promise<Selectable<AlertRow>> {
    const row = await executor
      .updateTable('alerts')
      .set(work)
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await executor.insertInto('alert_history').values(step).execute();
    return row;
  }

  /**
   * A higher revision of the same gateway replaces what the agent said before; a person's severity and workflow stay.
   * Returns the rows that changed; each id once in `news`. What is raised has one time, for readers meet it at once.
   */
  async upsert(executor: Executor, news: readonly AlertNews[], now: Date): Promise<Selectable<AlertRow>[]> {
    const raisedAt = news.some(({ isRaised }) => isRaised) ? await nextRaisedAt(executor, now) : '';
    const rows = news.map(({ row, isRaised }) => (isRaised ? { ...row, raised_at: raisedAt } : row));
    const changed: Selectable<AlertRow>[] = [];
    for (const chunk of inChunks(rows)) {
      changed.push(
        ...(await executor
          .insertInto('alerts')
          .values([...chunk])
          .onConflict((conflict) =>
            conflict
              .column('id')
              .doUpdateSet((eb) => ({
                ...excluded(eb, replaced),
                // A person may have opened it again meanwhile: it never goes down the list.
                raised_at: eb
                  .case()
                  .when('alerts.raised_at', '>', eb.ref('excluded.raised_at'))
                  .then(eb.ref('alerts.raised_at'))
                  .else(eb.ref('excluded.raised_at'))
                  .end(),
                severity: eb
                  .case()
                  .when('alerts.severity_by_person', '=', 1)
                  .then(eb.ref('alerts.severity'))
                  .else(eb.ref('excluded.severity'))
                  .end(),
              }))
              .where((eb) =>
                eb.and([
                  eb('alerts.revision', '<', eb.ref('excluded.revision')),
                  eb('alerts.gateway_id', '=', eb.ref('excluded.gateway_id')),
                ]),
              ),
          )
          .returningAll()
          .execute()),
      );
    }
    return changed;
  }

  /** The latest revision's entities replace those before. */
  async setEntities(executor: Executor, rows: readonly AlertEntityRow[]): Promise<void> {
    for (const chunk of inChunks(rows)) {
      await executor
        .insertInto('alert_entities')
        .values([...chunk])
        .onConflict((conflict) =>
          conflict.columns(['alert_id', 'kind', 'role']).doUpdateSet((eb) => excluded(eb, ['value'])),
        )
        .execute();
    }
  }
}
