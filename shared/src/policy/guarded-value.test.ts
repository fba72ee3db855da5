import { expect, test } from 'vitest';
import type { DecisionScope } from '../contract/decision.ts';
import { parseDecisionValue } from './decision-value.ts';
import { guardedValue, type GuardedFacts, type GuardedValue } from './guarded-value.ts';

const facts: GuardedFacts = {
  ownAddresses: ['192.168.1.1', '2001:db8:7::1'],
  defaultRoutes: ['203.0.113.1'],
  broadcastAddresses: ['192.168.1.255'],
  neverBlock: ['198.51.100.0/24', '192.168.1.5'],
  managementPorts: [22],
};

test.each<[DecisionScope, string, GuardedValue['as'] | undefined]>([
  ['ip', '192.168.1.1', 'own-address'],
  ['ip', '2001:0db8:0007::1', 'own-address'],
  ['cidr', '192.168.1.0/30', 'own-address'],
  ['ip+port', '192.168.1.1 tcp/22', 'own-address'],
  ['ip', '203.0.113.1', 'next-hop'],
  ['cidr', '203.0.113.0/24', 'next-hop'],
  ['ip', '192.168.1.255', 'broadcast'],
  ['device', '192.168.1.255', 'broadcast'],
  ['cidr', '192.168.1.255/32', 'broadcast'],
  ['pair', '203.0.113.9 192.168.1.255', 'broadcast'],
  ['cidr', '192.168.1.128/25', undefined],
  ['ip', '198.51.100.7', 'listed'],
  ['cidr', '198.51.100.128/25', 'listed'],
  ['pair', '203.0.113.9 192.168.1.5', 'listed'],
  ['port', 'tcp/22', 'management-port'],
  ['port', 'udp/22', undefined],
  ['pair', '203.0.113.9 192.168.1.1', undefined],
  ['pair', '203.0.113.9 192.168.1.20', undefined],
  ['ip', '203.0.113.9', undefined],
  ['device', '02:42:ac:11:00:02', undefined],
])('%s %s is guarded as %s', (scope, value, as) => {
  const parsed = parseDecisionValue(scope, value);
  if (!parsed.ok) throw new Error(parsed.reason);
  expect(guardedValue(parsed.target, facts)?.as).toBe(as);
});
