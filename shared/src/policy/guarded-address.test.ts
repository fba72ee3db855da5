import { expect, test } from 'vitest';
import { parseDecisionValue } from './decision-value.ts';
import { guardedAddress } from './guarded-address.ts';
import type { DecisionScope } from '../contract/decision.ts';

const guarded = ['198.51.100.7', '2001:db8::7'];

function hit(scope: DecisionScope, value: string): string | undefined {
  const parsed = parseDecisionValue(scope, value);
  if (!parsed.ok) throw new Error(parsed.reason);
  return guardedAddress(parsed.target, guarded);
}

test('a value that names or covers a guarded address is found, however it is written', () => {
  expect(hit('ip', '198.51.100.7')).toBe('198.51.100.7');
  expect(hit('ip', '::ffff:198.51.100.7')).toBe('198.51.100.7');
  expect(hit('ip', '2001:0db8:0:0::7')).toBe('2001:db8::7');
  expect(hit('ip+port', '198.51.100.7 tcp/443')).toBe('198.51.100.7');
  expect(hit('cidr', '198.51.100.0/24')).toBe('198.51.100.7');
  expect(hit('cidr', '2001:db8::/64')).toBe('2001:db8::7');
  expect(hit('device', '198.51.100.7')).toBe('198.51.100.7');
  expect(hit('pair', '198.51.100.7 10.0.0.5')).toBe('198.51.100.7');
});

test('values beside a guarded address are not', () => {
  expect(hit('ip', '198.51.100.8')).toBeUndefined();
  expect(hit('cidr', '198.51.101.0/24')).toBeUndefined();
  expect(hit('cidr', '2001:db8:1::/64')).toBeUndefined();
  expect(hit('port', 'tcp/443')).toBeUndefined();
  expect(hit('device', '02:42:ac:11:00:02')).toBeUndefined();
  expect(hit('pair', '203.0.113.9 198.51.100.7'), 'an attacker may be cut from the gateway').toBeUndefined();
});
