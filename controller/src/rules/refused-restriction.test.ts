import { expect, test } from 'vitest';
import type { DecisionScope } from '@picket/shared/contract/decision';
import { isRefused } from './refused-restriction.ts';

const gateway = {
  addresses: ['192.168.1.1'],
  defaultRoutes: ['203.0.113.1'],
  broadcasts: ['192.168.1.255'],
  guard: { admin_prefixes: [], management_ports: [22], never_block: ['198.51.100.0/24', '192.168.1.5'] },
};

test.each<[DecisionScope, string, boolean]>([
  ['ip', '192.168.1.1', true],
  ['ip', '203.0.113.1', true],
  ['ip', '198.51.100.7', true],
  ['ip', '127.0.0.1', true],
  ['ip', '192.168.1.255', true],
  ['cidr', '203.0.113.0/24', true],
  ['cidr', '198.51.100.128/25', true],
  ['cidr', '198.0.0.0/8', true],
  ['pair', '203.0.113.9 192.168.1.5', true],
  ['port', 'tcp/22', true],
  ['ip', '203.0.113.9', false],
  ['pair', '203.0.113.9 192.168.1.1', false],
  ['pair', '203.0.113.9 192.168.1.20', false],
  ['port', 'udp/22', false],
  ['device', '02:42:ac:11:00:02', false],
])('%s %s is refused: %s', (scope, value, expected) => {
  expect(isRefused({ scope, value }, gateway)).toBe(expected);
});
