/**
 * What a batch's reports make of alerts, and when each last asked for somebody's eyes: lists are in that order, so that what
 * comes back, or goes on, stands beside what is new and not where it began. Pure.
 */
import type { Selectable } from 'kysely';
import { Severity } from '@picket/shared/contract/alert';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { AlertRow } from '../database/alert-tables.ts';
import { isClosed, isReopenedBy } from './alert-workflow.ts';
import { toRow, type ReportedAlert } from './stored-alert.ts';

/** What is known of an alert ahead of a report. */
export type Standing = Pick<
  Selectable<AlertRow>,
  'revision' | 'status' | 'severity' | 'severity_by_person' | 'score' | 'is_plain' | 'count' | 'returns' | 'raised_at'
>;

/** An attack that never pauses is at most this far down a list, ms. Often enough for a shift, and no row dances. */
const goesOnAfterMs = 3_600_000;

/** An alert that has news; `isRaised`: it asks for eyes now. */
export interface AlertNews {
  readonly row: Selectable<AlertRow>;
  readonly isRaised: boolean;
}

/**
 * The latest revision of every alert that has news beside what is `stored`, each id once. `now` is the controller's clock,
 * which `raised_at` goes by: those of gateways differ, and one that is ahead would hold its alerts at the top.
 */
export function latestReports(
  gatewayId: GatewayId,
  reports: readonly ReportedAlert[],
  stored: ReadonlyMap<string, Standing>,
  now: string,
): AlertNews[] {
  const news = new Map<string, AlertNews>();
  const standings = new Map(stored);
  for (const report of reports) {
    const { id, revision } = report.alert;
    const before = standings.get(id);
    if (before !== undefined && before.revision >= revision) continue;
    const earlier = news.get(id);
    const times = { created_at: earlier?.row.created_at ?? report.at, raised_at: before?.raised_at ?? now };
    const reported = toRow(gatewayId, report, times);
    const asks = before === undefined || asksAnew(before, reported, now);
    const row = asks ? { ...reported, raised_at: now } : reported;
    news.set(id, { row, isRaised: asks || earlier?.isRaised === true });
    standings.set(id, before === undefined ? row : { ...row, ...workedOn(before, row) });
  }
  return [...news.values()];
}

/** It asks anew where it came back, became graver, or still goes on after an hour; nobody is asked about what is closed. */
function asksAnew(before: Standing, row: Selectable<AlertRow>, now: string): boolean {
  if (isClosed(workedOn(before, row).status)) return false;
  const isBack = row.returns > before.returns;
  const goesOn = row.count > before.count && Date.parse(now) - Date.parse(before.raised_at) >= goesOnAfterMs;
  return isBack || isGraver(before, row) || goesOn;
}

/** What people set stays; what was resolved is open again where it came back. */
function workedOn(
  before: Standing,
  row: Selectable<AlertRow>,
): Pick<Standing, 'status' | 'severity' | 'severity_by_person'> {
  const isReopened = isReopenedBy(before.status, row.returns - before.returns);
  return {
    status: isReopened ? 'active' : before.status,
    severity: before.severity_by_person === 1 ? before.severity : row.severity,
    severity_by_person: before.severity_by_person,
  };
}

function isGraver(before: Standing, row: Selectable<AlertRow>): boolean {
  if (before.severity_by_person === 1) return false;
  return Severity.options.indexOf(row.severity) > Severity.options.indexOf(before.severity);
}
