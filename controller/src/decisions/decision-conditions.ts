/** What it means in SQL that a decision is active, stands on a gateway or concerns a device: said once for every question. */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Tables } from '../database/tables.ts';

/** A gateway that said one of these holds the decision no more. One whose kernel failed tries again until it ends. */
export const ended = ['refused', 'expired', 'retracted'] as const;

type Where = ExpressionBuilder<Tables, 'decisions'>;

/** Neither expired nor lifted, and some gateway still holds it or has not answered. */
export function active(eb: Where, now: string): Expression<SqlBool> {
  return eb.and([
    eb('decisions.expires_at', '>', now),
    eb('decisions.lifted_at', 'is', null),
    eb.exists(statesOf(eb).where('decision_states.state', 'not in', ended)),
  ]);
}

/** This gateway was told of it or made it, whatever became of it there. */
export function standsOn(eb: Where, gatewayId: string): Expression<SqlBool> {
  return eb.exists(statesOf(eb).where('decision_states.gateway_id', '=', gatewayId));
}

/** This gateway still holds it or has not answered. */
export function heldBy(eb: Where, gatewayId: string): Expression<SqlBool> {
  return eb.exists(
    statesOf(eb).where('decision_states.gateway_id', '=', gatewayId).where('decision_states.state', 'not in', ended),
  );
}

/** Some gateway owes an answer: to the decision itself, or to its being lifted. */
export function unanswered(eb: Where): Expression<SqlBool> {
  return eb.or([
    eb.exists(statesOf(eb).where('decision_states.state', '=', 'proposed')),
    eb.and([
      eb('decisions.lifted_at', 'is not', null),
      eb.exists(statesOf(eb).where('decision_states.state', 'not in', ended)),
    ]),
  ]);
}

/** It names the device by address or MAC, or was made for an alert of the device. */
export function concerns(eb: Where, deviceId: string): Expression<SqlBool> {
  return eb.or([
    eb.exists(
      eb
        .selectFrom('devices')
        .select('devices.id')
        .where('devices.id', '=', deviceId)
        .where((named) =>
          named.or([
            named('decisions.value', '=', named.ref('devices.ip_address')),
            named('decisions.value', '=', named.ref('devices.mac')),
          ]),
        ),
    ),
    eb.exists(
      eb
        .selectFrom('alerts')
        .select('alerts.id')
        .whereRef('alerts.id', '=', 'decisions.alert_id')
        .where('alerts.device_id', '=', deviceId),
    ),
  ]);
}

function statesOf(eb: Where) {
  return eb
    .selectFrom('decision_states')
    .select('decision_states.decision_id')
    .whereRef('decision_states.decision_id', '=', 'decisions.id');
}
