import { expect, test } from 'vitest';
import type { DecisionScope } from '../contract/decision.ts';
import { parseDecisionValue } from './decision-value.ts';
import { parseUnblockValue, restricts } from './unblock-value.ts';

function relation(scope: DecisionScope, value: string, wanted: string): string | undefined {
  const decision = parseDecisionValue(scope, value);
  const unblock = parseUnblockValue(wanted);
  if (!decision.ok || !unblock.ok) throw new Error('the test is wrong');
  return restricts(decision.target, unblock.wanted, (mac) => (mac === '02:00:00:00:00:07' ? ['10.0.0.7'] : []));
}

test.each([
  ['ip', '192.0.2.7', '192.0.2.7', 'names'],
  ['ip', '192.0.2.8', '192.0.2.7', undefined],
  ['ip', '192.0.2.7', '::ffff:192.0.2.7', 'names'],
  ['ip', '2001:db8::7', '2001:DB8:0::7', 'names'],
  ['ip+port', '192.0.2.7 tcp/22', '192.0.2.7', 'names'],
  ['pair', '192.0.2.7 10.0.0.7', '192.0.2.7', 'names'],
  ['pair', '192.0.2.7 10.0.0.7', '10.0.0.7', 'names'],
  ['device', '10.0.0.7', '10.0.0.7', 'names'],
  ['device', '02:00:00:00:00:07', '10.0.0.7', 'names'],
  ['device', '02:00:00:00:00:07', '02:00:00:00:00:07', 'names'],
  ['device', '10.0.0.7', '02:00:00:00:00:07', 'names'],
  ['device', '02:00:00:00:00:06', '10.0.0.7', undefined],
  ['device', '02:00:00:00:00:06', '02:00:00:00:00:07', undefined],
  ['ip', '10.0.0.7', '02:00:00:00:00:07', 'names'],
  ['ip', '10.0.0.8', '02:00:00:00:00:07', undefined],
  ['ip+port', '10.0.0.7 tcp/80', '02:00:00:00:00:07', 'names'],
  ['pair', '192.0.2.7 10.0.0.7', '02:00:00:00:00:07', 'names'],
  ['cidr', '10.0.0.0/24', '02:00:00:00:00:07', 'covers'],
  ['cidr', '192.0.2.0/24', '192.0.2.7', 'covers'],
  ['cidr', '192.0.2.0/24', '192.0.2.0/24', 'names'],
  ['cidr', '192.0.2.0/24', '192.0.0.0/16', 'names'],
  ['cidr', '192.0.2.0/24', '198.51.100.0/24', undefined],
  ['ip', '192.0.2.7', '192.0.2.0/24', 'names'],
  ['port', 'tcp/22', '192.0.2.7', undefined],
] as const)('%s %s, wanted free %s: %s', (scope, value, wanted, expected) => {
  expect(relation(scope, value, wanted)).toBe(expected);
});

test.each(['', 'example.org', '192.0.2.7/33', '192.0.2.7 tcp/22', '02:00'])('"%s" cannot be unblocked', (text) => {
  expect(parseUnblockValue(text)).toMatchObject({ ok: false });
});
