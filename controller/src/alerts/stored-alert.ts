/** An alert as its agent reports it, as it is kept, and as the API and the live streams show it. Pure. */
import type { Selectable } from 'kysely';
import type { Alert } from '@picket/shared/contract/alert';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { Explanation } from '@picket/shared/contract/prediction';
import type { AlertDetail, AlertStep, StoredAlert } from '@picket/shared/contract/stored-alert';
import { talksOutward } from '@picket/shared/policy/judged-window';
import type { AlertEntityRow, AlertHistoryRow, AlertRow } from '../database/alert-tables.ts';
import type { LiveMessage } from '../live/live-message.ts';

type AlertSureness = Pick<Selectable<AlertRow>, 'score' | 'severity' | 'is_plain'>;

export interface ReportedAlert {
  readonly alert: Alert;
  readonly at: string;
  readonly device: { readonly id: string; readonly name: string };
}

/** As nobody has worked on it yet. */
export function toRow(
  gatewayId: GatewayId,
  report: ReportedAlert,
  times: Pick<Selectable<AlertRow>, 'created_at' | 'raised_at'>,
): Selectable<AlertRow> {
  const { device, explanation, evidence, decision_ids, simulated, is_plain: isPlain, ...alert } = report.alert;
  return {
    ...alert,
    gateway_id: gatewayId,
    device_id: report.device.id,
    device_name: report.device.name,
    device_address: device.address,
    first_seen_at: new Date(alert.first_seen_at).toISOString(),
    last_seen_at: new Date(alert.last_seen_at).toISOString(),
    explanation: explanation === null ? null : JSON.stringify(explanation),
    evidence: JSON.stringify(evidence),
    decision_ids: JSON.stringify(decision_ids),
    simulated: simulated ? 1 : 0,
    is_plain: isPlain ? 1 : 0,
    severity_by_person: 0,
    ...times,
    recorded_at: report.at,
    status: 'active',
    assignee: null,
    tags: '[]',
    acknowledged_by: null,
    acknowledged_at: null,
    resolved_by: null,
    resolved_at: null,
    resolution_notes: null,
    updated_at: report.at,
  };
}

/** Who did it and who was hit, as the direction of the evidence has it: a beacon's source is the device itself. */
export function entitiesOf(row: Selectable<AlertRow>): AlertEntityRow[] {
  const roles = talksOutward(row.class) ? (['source', 'target'] as const) : (['target', 'source'] as const);
  return [
    ...(row.device_id === null
      ? []
      : [{ alert_id: row.id, kind: 'device' as const, value: row.device_id, role: roles[0] }]),
    ...(row.peer === null ? [] : [{ alert_id: row.id, kind: 'ip' as const, value: row.peer, role: roles[1] }]),
  ];
}

export function toAlert(row: Selectable<AlertRow>): StoredAlert {
  const {
    class: attackType,
    explanation,
    evidence: _evidence,
    severity_by_person: _byPerson,
    updated_at: _updatedAt,
    decision_ids,
    simulated,
    is_plain: isPlain,
    tags,
    ...rest
  } = row;
  return {
    ...rest,
    attack_type: attackType,
    risk_level: row.severity,
    summary: explanation === null ? '' : Explanation.parse(JSON.parse(explanation)).summary,
    decision_ids: JSON.parse(decision_ids) as string[],
    simulated: simulated === 1,
    is_plain: isPlain === 1,
    tags: JSON.parse(tags) as string[],
    is_acknowledged: row.acknowledged_at !== null,
  } as StoredAlert;
}

/** What `toAlert` leaves out of lists. */
export function toEvidence(row: Selectable<AlertRow>): Pick<AlertDetail, 'explanation' | 'evidence'> {
  return {
    explanation: row.explanation === null ? null : Explanation.parse(JSON.parse(row.explanation)),
    evidence: JSON.parse(row.evidence) as AlertDetail['evidence'],
  };
}

export function toStep(row: Selectable<AlertHistoryRow>): AlertStep {
  return { who: row.who, from: row.from_status, to: row.to_status, note: row.note, at: row.at };
}

export function alertChanged(
  type: 'alert_created' | 'alert_updated' | 'alert_resolved' | 'alert_reopened',
  alert: StoredAlert,
): LiveMessage {
  return {
    channels: ['alerts', ...(alert.device_id === null ? [] : [`device:${alert.device_id}` as const])],
    event: { type, data: alert },
  };
}

/** Its agent had more to tell. Where that makes it surer, the event says what was known before. */
export function alertGrew(row: Selectable<AlertRow>, before: AlertSureness): LiveMessage {
  const alert = toAlert(row);
  const { channels } = alertChanged('alert_updated', alert);
  const isSurer = row.score > before.score || row.is_plain > before.is_plain || row.severity !== before.severity;
  if (!isSurer) return { channels, event: { type: 'alert_updated', data: alert } };
  const { score, severity, is_plain: isPlain } = before;
  return {
    channels,
    event: { type: 'alert_updated', data: alert, before: { score, severity, is_plain: isPlain === 1 } },
  };
}
