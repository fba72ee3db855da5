/** How decisions came to where they stand: every event of every gateway with the decision it is about. */
import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';
import type { DecisionEventRow, DecisionRow } from '../database/decision-tables.ts';
import { newestFirst, type RowsWanted, type TimeSpan } from '../database/keyset.ts';
import { concerns } from './decision-conditions.ts';

export interface LogFilter extends TimeSpan {
  readonly rule?: string | undefined;
  readonly device?: string | undefined;
  readonly success?: boolean | undefined;
}

export type LoggedDecisionEvent = Selectable<DecisionEventRow> &
  Pick<Selectable<DecisionRow>, 'action' | 'scope' | 'value' | 'origin' | 'rule_id' | 'alert_id'>;

export class DecisionLogRepository {
  readonly #reader: Executor;

  constructor(database: Pick<Database, 'reader'>) {
    this.#reader = database.reader;
  }

  /** Newest first, at most `limit + 1`. */
  async list(filter: LogFilter, page: RowsWanted): Promise<LoggedDecisionEvent[]> {
    let query = this.#reader
      .selectFrom('decision_events')
      .innerJoin('decisions', 'decisions.id', 'decision_events.decision_id')
      .selectAll('decision_events')
      .select([
        'decisions.action',
        'decisions.scope',
        'decisions.value',
        'decisions.origin',
        'decisions.rule_id',
        'decisions.alert_id',
      ]);
    if (filter.rule !== undefined) query = query.where('decisions.rule_id', '=', filter.rule);
    const device = filter.device;
    if (device !== undefined) query = query.where((eb) => concerns(eb, device));
    if (filter.success !== undefined) {
      query = query.where('decision_events.state', filter.success ? 'not in' : 'in', ['refused', 'failed']);
    }
    if (filter.from !== undefined) query = query.where('decision_events.recorded_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('decision_events.recorded_at', '<', filter.to);
    return newestFirst(query, ['decision_events.recorded_at', 'decision_events.id'], page).execute();
  }
}
