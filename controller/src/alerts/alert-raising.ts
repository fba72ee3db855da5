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

/** The latest revision of every alert that has news beside what is `stored`, each id once. */
export function latestReports(
  gatewayId: GatewayId,
  reports: readonly ReportedAlert[],
  stored: ReadonlyMap<string, Standing>,
): Selectable<AlertRow>[] {
  const rows = new Map<string, Selectable<AlertRow>>();
  const standings = new Map(stored);
  for (const report of reports) {
    const { id, revision } = report.alert;
    const before = standings.get(id);
    if (before !== undefined && before.revision >= revision) continue;
    const reported = toRow(gatewayId, report, rows.get(id)?.created_at ?? report.at);
    const row = before === undefined ? reported : { ...reported, raised_at: raisedAt(before, reported) };
    rows.set(id, row);
    standings.set(id, before === undefined ? row : { ...row, ...workedOn(before, row) });
  }
  return [...rows.values()];
}

/** It asks anew where it came back, became graver, or still goes on after an hour; nobody is asked about what is closed. */
function raisedAt(before: Standing, row: Selectable<AlertRow>): string {
  const { raised_at: at } = before;
  if (isClosed(workedOn(before, row).status) || row.recorded_at <= at) return at;
  const isBack = row.returns > before.returns;
  const goesOn = row.count > before.count && Date.parse(row.recorded_at) - Date.parse(at) >= goesOnAfterMs;
  return isBack || isGraver(before, row) || goesOn ? row.recorded_at : at;
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
