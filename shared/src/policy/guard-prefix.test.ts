import { expect, test } from 'vitest';
import { guardPrefixProblem } from './guard-prefix.ts';

test.each([
  '0.0.0.0/0',
  '::/0',
  '0.0.0.0/1',
  '128.0.0.0/1',
  '10.0.0.0/7',
  '192.0.0.0/8',
  '203.112.0.0/15',
  '2000::/3',
  '2001:db8::/32',
  'fc00::/6',
])('%s is too wide for the guard', (text) => {
  expect(guardPrefixProblem(text)).toContain(`${text} is too wide`);
});

test.each([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '192.168.1.5',
  '203.0.0.0/16',
  '203.0.113.7/32',
  '2001:db8:9::/48',
  'fd00::/8',
  'fe80::/10',
])('%s may be listed', (text) => {
  expect(guardPrefixProblem(text)).toBeUndefined();
});

test('what is no prefix is named', () => {
  expect(guardPrefixProblem('printer')).toContain('"printer" is neither');
});
