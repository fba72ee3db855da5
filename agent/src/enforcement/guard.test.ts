import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import type { DecisionScope } from '@picket/shared/contract/decision';
import { expect, test } from 'vitest';
import { addressesToCut, checkGuard, emptyGuard, refuseByGuard, type Guard } from './guard.ts';

const guard: Guard = {
  ...emptyGuard,
  managementPorts: [22, 8443],
  neverBlock: ['198.51.100.0/24', '2001:db8:9::/48', '192.168.1.5'],
  ownAddresses: ['192.168.1.1', '2001:db8::1'],
  ownMacs: ['02:00:00:00:00:01'],
  defaultRoutes: ['203.0.113.1', 'fe80::1'],
  defaultRouteMacs: ['02:00:00:00:00:fe'],
  broadcastAddresses: ['192.168.2.255'],
};

function refusal(scope: DecisionScope, value: string): string | undefined {
  const parsed = parseDecisionValue(scope, value);
  if (!parsed.ok) throw new Error(parsed.reason);
  return refuseByGuard(parsed.target, guard);
}

test.each([
  ['ip', '192.168.1.1', '192.168.1.1 is an address of this gateway'],
  ['ip', '2001:db8::1', 'an address of this gateway'],
  ['ip', '203.0.113.1', "next hop of this gateway's default route"],
  ['ip', 'fe80::1', 'default route'],
  ['cidr', '192.168.1.0/24', '192.168.1.0/24 holds 192.168.1.1, an address of this gateway'],
  ['cidr', 'fe80::/64', 'default route'],
  ['cidr', '198.51.100.128/25', 'list of hosts never to block (198.51.100.0/24)'],
  ['ip', '198.51.100.7', 'never to block'],
  ['ip', '2001:db8:9:1::7', 'never to block'],
  ['device', '192.168.1.5', 'never to block'],
  ['device', '02:00:00:00:00:01', 'interface of this gateway'],
  ['device', '02:00:00:00:00:fe', 'all that comes from outside carries it'],
  ['cidr', '203.0.113.0/24', '203.0.113.0/24 holds 203.0.113.1, the next hop'],
  ['ip+port', '192.168.1.1 tcp/80', 'an address of this gateway'],
  ['pair', '192.168.1.1 192.168.1.20', 'an address of this gateway'],
  ['pair', '203.0.113.9 192.168.1.5', 'never to block'],
  ['port', 'tcp/22', 'management port'],
  ['ip', '192.168.2.255', '192.168.2.255 is the broadcast address of a subnet of this gateway'],
  ['cidr', '192.168.2.255/32', 'broadcast address'],
  ['ip+port', '192.168.2.255 udp/138', 'broadcast address'],
  ['device', '192.168.2.255', 'broadcast address'],
  ['pair', '203.0.113.9 192.168.2.255', 'broadcast address'],
] as const)('%s %s is refused, and why', (scope, value, reason) => {
  expect(refusal(scope, value)).toContain(reason);
});

test.each([
  ['ip', '203.0.113.9'],
  ['ip', '192.168.1.20'],
  ['cidr', '198.51.0.0/16'],
  ['cidr', '192.168.2.128/25'],
  ['ip', '192.168.2.254'],
  ['device', '02:00:00:00:00:20'],
  ['port', 'udp/22'],
  ['port', 'tcp/23'],
  ['pair', '203.0.113.9 192.168.1.1'],
  ['pair', '203.0.113.9 192.168.1.20'],
] as const)('%s %s may be restricted', (scope, value) => {
  expect(refusal(scope, value)).toBeUndefined();
});

test('a device that claims the address of the gateway or of its router is cut without it', () => {
  const claimed = [
    '192.168.1.20',
    '192.168.1.1',
    '203.0.113.1',
    'fe80::1',
    '198.51.100.7',
    '0.0.0.0',
    '192.168.2.255',
    'fd00::20',
  ];
  expect(addressesToCut(claimed, guard)).toEqual(['192.168.1.20', 'fd00::20']);
});

test('a guard with something that is no address is refused, and named', () => {
  expect(() => checkGuard(guard)).not.toThrow();
  expect(() => checkGuard({ ...guard, neverBlock: ['printer'] })).toThrow(
    '"printer" is neither an address nor a prefix',
  );
  expect(() => checkGuard({ ...guard, adminPrefixes: ['10.0.0.0/33'] })).toThrow('10.0.0.0/33');
});
