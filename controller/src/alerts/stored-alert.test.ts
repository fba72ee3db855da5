/** Who is kept as the source of an alert, and who as its target. */
import { expect, test } from 'vitest';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { entitiesOf } from './stored-alert.ts';

const rolesOf = (attack: TrafficClass): Record<string, string> => {
  const row = { id: 'alert', device_id: 'device', peer: '198.51.100.7', class: attack } as Parameters<
    typeof entitiesOf
  >[0];
  return Object.fromEntries(entitiesOf(row).map(({ value, role }) => [value, role]));
};

test.each(['botnet_beacon', 'data_exfiltration'] as const)('%s: the device is the source', (attack) => {
  expect(rolesOf(attack)).toEqual({ device: 'source', '198.51.100.7': 'target' });
});

test.each(['port_scan', 'ddos_flood', 'brute_force_ssh'] as const)('%s: the device is the target', (attack) => {
  expect(rolesOf(attack)).toEqual({ device: 'target', '198.51.100.7': 'source' });
});
