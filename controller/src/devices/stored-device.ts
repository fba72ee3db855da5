/** A device's row as the API shows it, and what its status is told by. Pure. */
import type { Device } from '@picket/shared/contract/device';
import type { DeviceWithStatus, StatusBasis } from './device-status.ts';
import type { KnownGateway } from './gateway-directory.ts';

/** A device that was silent longer than this is offline. */
const onlineForMs = 5 * 60_000;
/** An open alert without news for this long no longer makes its device `under_attack`. */
const attackForMs = 15 * 60_000;

export function toDevice(row: DeviceWithStatus): Device {
  const { threats_today: threats, monitored, ...rest } = row;
  return { ...rest, monitored: monitored === 1, threat_count_today: threats } as Device;
}

export function statusBasis(gateways: readonly KnownGateway[], now: Date): StatusBasis {
  return {
    now: now.toISOString(),
    today: midnight(now),
    onlineSince: new Date(now.getTime() - onlineForMs).toISOString(),
    attackSince: new Date(now.getTime() - attackForMs).toISOString(),
    onlineGateways: gateways.filter((gateway) => gateway.online).map((gateway) => gateway.id),
  };
}

/** Start of the day, UTC. */
export function midnight(now: Date): string {
  return `${now.toISOString().slice(0, 10)}T00:00:00.000Z`;
}
