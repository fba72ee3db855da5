import { expect, test } from 'vitest';
import { contains, hostPrefix, maskText, mustParsePrefix, parsePrefix, withoutContained } from './prefix.ts';

test.each([
  ['192.0.2.77/24', '192.0.2.0', 24],
  ['192.0.2.77', '192.0.2.77', 32],
  ['10.1.2.3/0', '0.0.0.0', 0],
  ['10.255.255.255/9', '10.128.0.0', 9],
  ['2001:DB8::1/33', '2001:db8::', 33],
  ['::ffff:192.0.2.1', '192.0.2.1', 32],
] as const)('%s is the network %s of length %d', (text, network, length) => {
  expect(parsePrefix(text)).toMatchObject({ network, length });
});

test.each(['', 'host', '192.0.2.0/', '192.0.2.0/33', '192.0.2.0/-1', '192.0.2.0/24/1', '::/129', 'fe80::1%eth0/64'])(
  '"%s" is no prefix',
  (text) => expect(parsePrefix(text)).toBeUndefined(),
);

test.each(['0.0.0.0', '192.0.2.77', '255.255.255.255', '10.0.100.9', '::1', '2001:db8::ff00:0:7'])(
  'the host %s is the prefix that its text is read as',
  (address) => expect(hostPrefix(address)).toEqual(parsePrefix(address)),
);

test('a prefix contains what begins with its bits, of its own family', () => {
  const holds = (outer: string, inner: string): boolean => contains(mustParsePrefix(outer), mustParsePrefix(inner));
  expect(holds('10.0.0.0/9', '10.127.255.255')).toBe(true);
  expect(holds('10.0.0.0/9', '10.128.0.0')).toBe(false);
  expect(holds('10.0.0.0/24', '10.0.0.0/23')).toBe(false);
  expect(holds('0.0.0.0/0', '::1')).toBe(false);
  expect(holds('2001:db8::/47', '2001:db8:1::/48')).toBe(true);
});

test('prefixes inside others are left out, for the kernel refuses those that overlap', () => {
  const kept = withoutContained(
    ['10.0.1.0/24', '10.0.0.0/16', '10.0.1.7', '10.1.0.0/24', '10.1.0.0/24', '::1'].map(mustParsePrefix),
  );
  expect(kept.map((prefix) => `${prefix.network}/${prefix.length}`)).toEqual(['10.0.0.0/16', '10.1.0.0/24', '::1/128']);
});

test('masks are written as the kernel writes them', () => {
  expect([maskText('ipv4', 20), maskText('ipv4', 32), maskText('ipv6', 49)]).toEqual([
    '255.255.240.0',
    '255.255.255.255',
    'ffff:ffff:ffff:8000::',
  ]);
});
