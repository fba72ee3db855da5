/** The status of a device is not kept: it follows from what the rest of the history says at the moment of asking. */
import { sql, type Selectable } from 'kysely';
import type { DeviceStatus } from '@picket/shared/contract/device';
import type { DeviceRow } from '../database/device-tables.ts';
import type { Executor } from '../database/executor.ts';

export type DeviceWithStatus = Selectable<DeviceRow> & {
  readonly status: DeviceStatus;
  readonly threats_today: number;
};

/** Against what the status of devices is judged. */
export interface StatusBasis {
  readonly now: string;
  /** Midnight UTC. */
  readonly today: string;
  /** Seen since then: online. */
  readonly onlineSince: string;
  /** An open alert that went on since then: under attack. */
  readonly attackSince: string;
  readonly onlineGateways: readonly string[];
}

/** Every device with its status and how many alerts it had today. */
export function withStatus(executor: Executor, basis: StatusBasis) {
  return executor
    .selectFrom('devices')
    .selectAll('devices')
    .select((eb) => [
      eb
        .selectFrom('alerts')
        .select((count) => count.fn.countAll<number>().as('count'))
        .whereRef('alerts.device_id', '=', 'devices.id')
        .where('alerts.created_at', '>=', basis.today)
        .$asScalar()
        .$notNull()
        .as('threats_today'),
      eb
        .case()
        .when(
          eb.exists(
            eb
              .selectFrom('decisions')
              .select('decisions.id')
              .where('decisions.action', '=', 'quarantine')
              .where('decisions.expires_at', '>', basis.now)
              .where((value) =>
                value('decisions.value', 'in', [value.ref('devices.ip_address'), value.ref('devices.mac')]),
              )
              // Not a join: it would walk all decisions of the gateway for every device.
              .where((held) =>
                held.exists(
                  held
                    .selectFrom('decision_states')
                    .select('decision_states.state')
                    .whereRef('decision_states.decision_id', '=', 'decisions.id')
                    .whereRef('decision_states.gateway_id', '=', 'devices.gateway_id')
                    .where('decision_states.state', 'in', ['applied', 'verified']),
                ),
              ),
          ),
        )
        .then(sql.lit<DeviceStatus>('quarantined'))
        .when(
          eb.exists(
            eb
              .selectFrom('alerts')
              .select('alerts.id')
              .whereRef('alerts.device_id', '=', 'devices.id')
              .where('alerts.status', 'in', ['active', 'acknowledged', 'investigating'])
              .where('alerts.severity', 'in', ['high', 'critical'])
              .where('alerts.recorded_at', '>=', basis.attackSince),
          ),
        )
        .then(sql.lit<DeviceStatus>('under_attack'))
        .when(
          eb.and([
            eb('devices.monitored', '=', 1),
            eb('devices.last_seen_at', '>=', basis.onlineSince),
            basis.onlineGateways.length === 0
              ? eb.lit(false)
              : eb('devices.gateway_id', 'in', [...basis.onlineGateways]),
          ]),
        )
        .then(sql.lit<DeviceStatus>('online'))
        .else(sql.lit<DeviceStatus>('offline'))
        .end()
        .as('status'),
    ]);
}
