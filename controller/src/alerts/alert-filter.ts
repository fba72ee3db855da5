/** Which alerts are wanted, and the same as a condition on their rows. */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { AlertRow } from '../database/alert-tables.ts';
import type { TimeSpan } from '../database/keyset.ts';
import type { Tables } from '../database/tables.ts';
import { contains, likePattern } from '../database/text-search.ts';

/** The span takes in every alert that was going on within it. */
export interface AlertFilter extends TimeSpan {
  readonly severity?: AlertRow['severity'] | undefined;
  readonly attackType?: AlertRow['class'] | undefined;
  readonly status?: AlertRow['status'] | undefined;
  readonly alertType?: AlertRow['alert_type'] | undefined;
  readonly device?: string | undefined;
  readonly gateway?: string | undefined;
  readonly acknowledged?: boolean | undefined;
  readonly search?: string | undefined;
}

export function matching(eb: ExpressionBuilder<Tables, 'alerts'>, filter: AlertFilter): Expression<SqlBool> {
  const conditions: Expression<SqlBool>[] = [];
  if (filter.severity !== undefined) conditions.push(eb('severity', '=', filter.severity));
  if (filter.attackType !== undefined) conditions.push(eb('class', '=', filter.attackType));
  if (filter.status !== undefined) conditions.push(eb('status', '=', filter.status));
  if (filter.alertType !== undefined) conditions.push(eb('alert_type', '=', filter.alertType));
  if (filter.device !== undefined) conditions.push(eb('device_id', '=', filter.device));
  if (filter.gateway !== undefined) conditions.push(eb('gateway_id', '=', filter.gateway));
  if (filter.from !== undefined) conditions.push(eb('recorded_at', '>=', filter.from));
  if (filter.to !== undefined) conditions.push(eb('created_at', '<', filter.to));
  if (filter.acknowledged !== undefined) {
    conditions.push(eb('acknowledged_at', filter.acknowledged ? 'is not' : 'is', null));
  }
  if (filter.search !== undefined) {
    const pattern = likePattern(filter.search);
    const columns = ['message', 'device_name', 'device_address', 'peer', 'class'] as const;
    conditions.push(eb.or(columns.map((column) => contains(column, pattern))));
  }
  return eb.and(conditions);
}
