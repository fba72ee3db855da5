import { expect, test } from 'vitest';
import { parseDecisionValue } from './decision-value.ts';

test.each([
  ['ip', '192.0.2.7', '192.0.2.7'],
  ['ip', '2001:DB8::0:1', '2001:db8::1'],
  ['ip', '::ffff:192.0.2.7', '192.0.2.7'],
  ['cidr', '192.0.2.77/24', '192.0.2.0/24'],
  ['cidr', '2001:db8:1:2::9/64', '2001:db8:1:2::/64'],
  ['port', 'tcp/22', 'tcp/22'],
  ['ip+port', '192.0.2.7 udp/53', '192.0.2.7 udp/53'],
  ['device', '02:AA:00:00:00:01', '02:aa:00:00:00:01'],
  ['device', '192.168.1.20', '192.168.1.20'],
  ['pair', '192.0.2.7 192.168.1.20', '192.0.2.7 192.168.1.20'],
] as const)('%s "%s" is read as "%s"', (scope, value, canonical) => {
  expect(parseDecisionValue(scope, value)).toMatchObject({ ok: true, value: canonical });
});

test.each([
  ['ip', 'localhost', 'not an IPv4 or IPv6 address'],
  ['ip', '999.1.1.1', 'not an IPv4 or IPv6 address'],
  ['ip', '0x7f.1', 'not an IPv4 or IPv6 address'],
  ['ip', '010.0.0.1', 'not an IPv4 or IPv6 address'],
  ['ip', 'fe80::1%eth0', 'not an IPv4 or IPv6 address'],
  ['ip', '127.0.0.1', 'the gateway itself'],
  ['ip', '::', 'every host'],
  ['ip', '224.0.0.251', 'no host'],
  ['ip', '255.255.255.255', 'no host'],
  ['ip', '240.0.0.1', 'no hosts'],
  ['cidr', '255.255.255.0/24', 'no hosts'],
  ['cidr', '239.255.0.0/16', 'no host'],
  ['cidr', '0.0.0.0/0', 'too wide'],
  ['cidr', '10.0.0.0/8', 'too wide'],
  ['cidr', '2001:db8::/32', 'too wide'],
  ['cidr', '127.0.0.0/16', 'the gateway itself'],
  ['cidr', '192.0.2.0', 'not a prefix'],
  ['cidr', '192.0.2.0/33', 'not a prefix'],
  ['port', '22', 'not a port'],
  ['port', 'tcp/0', 'not a port'],
  ['port', 'icmp/1', 'not a port'],
  ['device', '01:00:5e:00:00:01', 'group address'],
  ['device', 'camera', 'neither'],
  ['pair', '192.0.2.7 2001:db8::1', 'one family'],
  ['pair', '192.0.2.7', 'not an IPv4 or IPv6 address'],
] as const)('%s "%s" is refused', (scope, value, reason) => {
  const parsed = parseDecisionValue(scope, value);
  expect(parsed.ok ? parsed.value : parsed.reason).toContain(reason);
  expect(parsed.ok).toBe(false);
});
