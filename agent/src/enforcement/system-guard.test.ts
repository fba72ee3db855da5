import { expect, test } from 'vitest';
import { parseAddress } from '@picket/shared/policy/decision-value';
import {
  broadcastOf,
  legsOf,
  nextHopMacs,
  parseArp,
  parseDefaultInterfaces,
  parseDefaultInterfaces6,
  parseIpv6Neighbours,
  parseIpv6Routes,
  parseRoutes,
  readSystemGuard,
} from './system-guard.ts';

test('default routes are read from the kernel table, with the byte order of the machine', () => {
  const text = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
wwan0\t00000000\t00000000\t0001\t0\t0\t700\t00000000\t0\t0\t0
`;
  expect(parseRoutes(text)).toEqual(['192.168.1.1']);
  expect(parseRoutes('')).toEqual([]);
  expect(parseDefaultInterfaces(text)).toEqual(['eth0', 'wwan0']);
});

test('IPv6 default routes are read, those without a next hop are not', () => {
  const zero = '0'.repeat(32);
  const text = `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
fe800000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`;
  expect(parseIpv6Routes(text)).toEqual(['fe80::1']);
  expect(parseDefaultInterfaces6(text)).toEqual(['eth0']);
});

test('the legs of the default routes are known by their MACs, with all that is on the link of those', () => {
  const one = (mac: string, cidr: string) => ({ mac, cidr, family: cidr.includes(':') ? 'IPv6' : 'IPv4' }) as const;
  const interfaces = {
    wan: [one('02:AB:00:00:00:01', '203.0.113.2/24'), one('02:ab:00:00:00:01', 'fe80::1/64')],
    'wan.7': [one('02:ab:00:00:00:01', '192.168.7.1/24')],
    lan: [one('02:ab:00:00:00:02', '192.168.1.1/24')],
    ppp0: [one('00:00:00:00:00:00', '198.51.100.1/32')],
  };
  expect(legsOf(interfaces, ['wan', 'ppp0', 'gone'])).toEqual([
    { mac: '02:ab:00:00:00:01', subnets: ['203.0.113.2/24', '192.168.7.1/24'] },
  ]);
});

test.each([
  ['192.168.1.1/24', '192.168.1.255'],
  ['10.1.2.3/30', '10.1.2.3'],
  ['10.1.2.2/31', undefined],
  ['10.1.2.3/32', undefined],
  ['2001:db8::1/64', undefined],
  ['', undefined],
])('the broadcast address of %s is %s', (cidr, expected) => {
  expect(broadcastOf(cidr)).toBe(expected);
});

test('MACs of neighbours are read, half-made entries are left out', () => {
  const arp = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.1      0x1         0x2         02:AB:00:00:00:01     *        eth0
192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        eth0
`;
  expect(parseArp(arp)).toEqual([{ address: '192.168.1.1', mac: '02:ab:00:00:00:01', link: 'eth0' }]);
  const neighbours = `fe80::1 dev eth0 lladdr 02:ab:00:00:00:02 router REACHABLE
2001:db8::9 dev eth0 FAILED
`;
  expect(parseIpv6Neighbours(neighbours)).toEqual([{ address: 'fe80::1', mac: '02:ab:00:00:00:02', link: 'eth0' }]);
});

test('a device of the LAN that says that it is the next hop is none', () => {
  const arp = `203.0.113.1      0x1         0x2         02:ab:00:00:00:01     *        wan0
203.0.113.1      0x1         0x2         02:00:00:00:00:66     *        lan0
`;
  const neighbours = [...parseArp(arp), ...parseIpv6Neighbours('fe80::1 dev lan0 lladdr 02:00:00:00:00:66 STALE')];
  expect(nextHopMacs(neighbours, ['203.0.113.1', 'fe80::1'], ['wan0'])).toEqual(['02:ab:00:00:00:01']);
});

test('the system as it is can be read, and holds addresses only', async () => {
  const system = await readSystemGuard();
  for (const address of [
    ...system.ownAddresses,
    ...system.defaultRoutes,
    ...system.dnsServers,
    ...system.openResolvers,
  ]) {
    expect(parseAddress(address)).toMatchObject({ ok: true });
  }
});
