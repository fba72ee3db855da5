/** Alerts: what agents report of an episode, and the work that people do on it. Neither overwrites the other. */
import type { Selectable } from 'kysely';
import type { AlertStatus } from '@picket/shared/contract/alert';
import { newId } from '@picket/shared/contract/identifiers';
import type { AlertId, GatewayId } from '@picket/shared/contract/identifiers';
import type {
  Acknowledgement,
  AlertChange,
  AlertDetail,
  Resolution,
  StoredAlert,
} from '@picket/shared/contract/stored-alert';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { Executor } from '../database/executor.ts';
import type { AlertHistoryRow, AlertRow } from '../database/alert-tables.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import type { DecisionService } from '../decisions/decision-service.ts';
import { Conflict, NotFound } from '../errors.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import { publishAll, type LiveMessage } from '../live/live-message.ts';
import type { AlertFilter } from './alert-filter.ts';
import { latestReports } from './alert-raising.ts';
import type { AlertRepository } from './alert-repository.ts';
import { type AlertWork, isClosed, isReopenedBy, mayStep, stepsFrom, workOfStep } from './alert-workflow.ts';
import {
  alertChanged,
  alertGrew,
  entitiesOf,
  type ReportedAlert,
  toAlert,
  toEvidence,
  toStep,
} from './stored-alert.ts';

const maxRelated = 20;

export class AlertService {
  readonly #alerts: AlertRepository;
  readonly #decisions: DecisionService;
  readonly #audit: AuditService;
  readonly #live: LiveFeed;
  readonly #now: () => Date;

  constructor(parts: {
    alerts: AlertRepository;
    decisions: DecisionService;
    audit: AuditService;
    live: LiveFeed;
    now?: () => Date;
  }) {
    this.#alerts = parts.alerts;
    this.#decisions = parts.decisions;
    this.#audit = parts.audit;
    this.#live = parts.live;
    this.#now = parts.now ?? (() => new Date());
  }

  async list(filter: AlertFilter, page: RowsWanted): Promise<Keyed<StoredAlert>[]> {
    const rows = await this.#alerts.list(filter, page);
    return rows.map((row) => ({ key: [row.raised_at, row.id], item: toAlert(row) }));
  }

  /** With evidence, explanation, decisions, history and related alerts. Throws `NotFound`. */
  async get(id: AlertId): Promise<AlertDetail> {
    const row = await this.#find(id);
    const [decisions, history, related] = await Promise.all([
      this.#decisions.ofAlert(id, JSON.parse(row.decision_ids) as string[]),
      this.#alerts.history(id),
      this.#alerts.related(row, maxRelated),
    ]);
    return {
      ...toAlert(row),
      ...toEvidence(row),
      decisions,
      history: history.map(toStep),
      related: related.map((other) => toAlert(other)),
    };
  }

  /** Says that this person has seen it. Repeatable: the first one stays. */
  async acknowledge(id: AlertId, input: Acknowledgement, actor: Actor): Promise<StoredAlert> {
    const row = await this.#find(id);
    if (row.acknowledged_at !== null) return toAlert(row);
    return this.#work(row, 'acknowledged', {}, input.note, actor);
  }

  /** Throws `Conflict` where it is closed otherwise; the same resolution twice is the same answer. */
  async resolve(id: AlertId, input: Resolution, actor: Actor): Promise<StoredAlert> {
    const row = await this.#find(id);
    if (row.status === input.resolution) return toAlert(row);
    return this.#work(row, input.resolution, { resolution_notes: input.notes ?? null }, input.notes, actor);
  }

  /** Status, assignee, severity, tags. Throws `Conflict` for a step that the workflow does not have. */
  async change(id: AlertId, input: AlertChange, actor: Actor): Promise<StoredAlert> {
    const row = await this.#find(id);
    const work: AlertWork = {
      ...(input.assignee === undefined ? {} : { assignee: input.assignee }),
      ...(input.severity === undefined ? {} : { severity: input.severity, severity_by_person: 1 }),
      ...(input.tags === undefined ? {} : { tags: JSON.stringify([...new Set(input.tags)]) }),
    };
    return this.#work(row, input.status ?? row.status, work, input.note, actor);
  }

  /** Ingestion, in the batch's transaction. Returns what is to be told live after its commit. */
  async store(executor: Executor, gatewayId: GatewayId, reports: readonly ReportedAlert[]): Promise<LiveMessage[]> {
    if (reports.length === 0) return [];
    const stored = await this.#alerts.standings(executor, [...new Set(reports.map(({ alert }) => alert.id))]);
    const now = this.#now();
    const news = latestReports(gatewayId, reports, stored, now.toISOString());
    const changed = await this.#alerts.upsert(executor, news, now);
    await this.#alerts.setEntities(executor, changed.flatMap(entitiesOf));
    const messages: LiveMessage[] = [];
    for (const row of changed) {
      const before = stored.get(row.id);
      if (before === undefined) messages.push(alertChanged('alert_created', toAlert(row)));
      else if (isReopenedBy(row.status, row.returns - before.returns)) messages.push(await this.#reopen(executor, row));
      else messages.push(alertGrew(row, before));
    }
    return messages;
  }

  /** What was thought over goes on: it needs eyes anew. */
  async #reopen(executor: Executor, row: Selectable<AlertRow>): Promise<LiveMessage> {
    const now = this.#now().toISOString();
    const who = `gateway ${row.gateway_id}`;
    const step = {
      id: newId(),
      alert_id: row.id,
      who,
      from_status: row.status,
      to_status: 'active' as const,
      note: `came back: ${row.message}`,
      at: now,
    };
    const work = { ...workOfStep(row, 'active', who, now), updated_at: now };
    return alertChanged('alert_reopened', toAlert(await this.#alerts.workWithin(executor, row.id, work, step)));
  }

  async #work(
    row: Selectable<AlertRow>,
    to: AlertStatus,
    work: AlertWork,
    note: string | undefined,
    actor: Actor,
  ): Promise<StoredAlert> {
    if (to !== row.status && !mayStep(row.status, to)) {
      throw new Conflict(
        `an alert that is ${row.status} cannot become ${to}; it can become ${stepsFrom(row.status).join(' or ')}`,
      );
    }
    const at = this.#now();
    const now = at.toISOString();
    const stepped = to !== row.status;
    const step: Selectable<AlertHistoryRow> | undefined =
      stepped || note !== undefined
        ? {
            id: newId(),
            alert_id: row.id,
            who: actor.username,
            from_status: row.status,
            to_status: to,
            note: note ?? null,
            at: now,
          }
        : undefined;
    const set: AlertWork = {
      ...work,
      ...(stepped ? workOfStep(row, to, actor.username, now) : {}),
      updated_at: now,
    };
    const raised = stepped && to === 'active' ? at : undefined;
    const after = await this.#alerts.work(row.id, row.status, set, step, raised);
    if (after === 'stale') throw new Conflict('someone else changed this alert at the same moment; read it again');
    const alert = toAlert(after);
    await this.#audit.record({
      actor,
      what: stepped ? `alert.${to}` : 'alert.change',
      onWhat: `alert ${row.id}`,
      before: workOf(toAlert(row)),
      after: { ...workOf(alert), note: note ?? null },
    });
    publishAll(this.#live, [alertChanged(stepped && isClosed(to) ? 'alert_resolved' : 'alert_updated', alert)]);
    return alert;
  }

  /** What its agent last said of it; undefined where there is none with this id. */
  find(id: string): Promise<Pick<Selectable<AlertRow>, 'message' | 'first_seen_at' | 'last_seen_at'> | undefined> {
    return this.#alerts.find(id);
  }

  async #find(id: AlertId): Promise<Selectable<AlertRow>> {
    const row = await this.#alerts.find(id);
    if (row === undefined) throw new NotFound('there is no alert with this id');
    return row;
  }
}

function workOf(alert: StoredAlert): Partial<StoredAlert> {
  const { status, assignee, severity, tags } = alert;
  return { status, assignee, severity, tags };
}
