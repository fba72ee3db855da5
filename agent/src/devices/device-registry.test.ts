import { expect, test } from 'vitest';
import { flowBatchOf, type FlowRow } from '../testing/flow-rows.ts';
import { DeviceRegistry } from './device-registry.ts';

function rolesOf(registry: DeviceRegistry, row: FlowRow): readonly string[] {
  return registry.attribute(flowBatchOf([row]), 0).map((role) => `${role.device.address} ${role.direction}`);
}

test.each([
  ['192.168.1.20', '203.0.113.5', ['192.168.1.20 outbound']],
  ['203.0.113.5', '192.168.1.20', ['192.168.1.20 inbound']],
  ['192.168.1.20', '10.0.0.7', ['192.168.1.20 internal', '10.0.0.7 internal']],
  ['203.0.113.5', '198.51.100.9', ['198.51.100.9 inbound']],
  ['2001:db8::5', 'fd00::20', ['fd00::20 inbound']],
  ['fe80::1', '2001:db8::5', ['fe80::1 outbound']],
  ['192.168.1.20', '239.255.255.250', ['192.168.1.20 outbound']],
  ['fe80::1', 'ff02::fb', ['fe80::1 outbound']],
  ['0.0.0.0', '255.255.255.255', []],
  ['203.0.113.5', '224.0.0.1', []],
  ['::', 'ff02::1', []],
  ['127.0.0.1', '127.0.0.53', []],
  ['::1', '::1', []],
  ['203.0.113.5', '127.0.0.1', []],
  ['192.168.1.20', '127.0.0.1', ['192.168.1.20 outbound']],
  ['2001:db8::5', '::2', ['::2 inbound']],
  ['172.32.0.1', '172.31.255.254', ['172.31.255.254 inbound']],
  ['192.168.1.20', '192.168.1.20', ['192.168.1.20 internal']],
] as const)('a flow from %s to %s belongs to %j', (src, dst, roles) => {
  expect(rolesOf(new DeviceRegistry(), { src, dst })).toEqual(roles);
});

test('the LAN is what the owner says it is', () => {
  const registry = new DeviceRegistry({ lanPrefixes: ['198.51.100.0/25', '2001:db8:1::/48'] });
  expect(rolesOf(registry, { src: '192.168.1.20', dst: '198.51.100.127' })).toEqual(['198.51.100.127 inbound']);
  expect(rolesOf(registry, { src: '198.51.100.128', dst: '10.0.0.1' })).toEqual(['10.0.0.1 inbound']);
  expect(rolesOf(registry, { src: '2001:db8:1:ff::2', dst: '2001:db8:2::1' })).toEqual(['2001:db8:1:ff::2 outbound']);
  const loopback = new DeviceRegistry({ lanPrefixes: ['127.0.0.0/8'] });
  expect(rolesOf(loopback, { src: '127.0.0.1', dst: '127.0.0.53' })).toEqual([
    '127.0.0.1 internal',
    '127.0.0.53 internal',
  ]);
  expect(() => new DeviceRegistry({ lanPrefixes: ['lan'] })).toThrow('"lan" is not a prefix');
});

test('addresses that are not watched, and subnet broadcasts, are no devices', () => {
  const registry = new DeviceRegistry({ broadcastAddresses: ['192.168.1.255'] });
  registry.ignore(['192.168.1.20']);
  expect(rolesOf(registry, { src: '192.168.1.20', dst: '203.0.113.5' })).toEqual([]);
  expect(rolesOf(registry, { src: '192.168.1.21', dst: '192.168.1.255' })).toEqual(['192.168.1.21 internal']);
});

test('a device is the same object in every flow', () => {
  const registry = new DeviceRegistry();
  const [first] = registry.attribute(flowBatchOf([{ src: '192.168.1.20', dst: '203.0.113.5' }]), 0);
  const [second] = registry.attribute(flowBatchOf([{ src: '203.0.113.6', dst: '192.168.1.20' }]), 0);
  expect(second?.device).toBe(first?.device);
});

test('the MAC is that of packets it sent itself, and never the gateway or a router', () => {
  const registry = new DeviceRegistry({ relayMacs: ['02:00:00:00:00:01'] });
  const macOf = (src: string, srcMac: string): string | null | undefined =>
    registry.attribute(flowBatchOf([{ src, dst: '203.0.113.5', srcMac }]), 0)[0]?.device.mac;
  expect(macOf('192.168.1.20', '02:00:00:00:00:20')).toBe('02:00:00:00:00:20');
  expect(macOf('192.168.1.21', '02:00:00:00:00:01')).toBeNull();
  expect(macOf('192.168.1.21', '00:00:00:00:00:00')).toBeNull();
  expect(macOf('fd00::20', '02:00:00:00:00:20')).toBe('02:00:00:00:00:20');
  for (const address of ['10.9.0.1', '10.9.0.2', '10.9.0.3']) {
    expect(macOf(address, '02:00:00:00:00:09')).toBe('02:00:00:00:00:09');
  }
  for (const address of ['10.9.0.4', '10.9.0.1', '10.9.0.5']) expect(macOf(address, '02:00:00:00:00:09')).toBeNull();
});

test.each(['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:fb', '33:33:00:00:00:01', '03:00:00:00:00:20'])(
  'no host has the group address %s: who sends with it forged it',
  (srcMac) => {
    const registry = new DeviceRegistry();
    const macFrom = (mac: string): string | null | undefined =>
      registry.attribute(flowBatchOf([{ src: '192.168.1.20', dst: '203.0.113.5', srcMac: mac }]), 0)[0]?.device.mac;
    expect(macFrom(srcMac)).toBeNull();
    expect(macFrom('02:00:00:00:00:20')).toBe('02:00:00:00:00:20');
    expect(macFrom(srcMac)).toBe('02:00:00:00:00:20');
  },
);

test('a device is news when it speaks for the first time and when its MAC becomes known', () => {
  const registry = new DeviceRegistry();
  const add = (row: FlowRow): void => void registry.attribute(flowBatchOf([row]), 0);
  add({ src: '203.0.113.5', dst: '192.168.1.20', lastPacketAtUs: 1 });
  expect(registry.takeSightings()).toEqual([]);
  add({ src: '203.0.113.5', dst: '192.168.1.20', lastPacketAtUs: 2, features: { 'Total Backward Packets': 1 } });
  add({ src: '192.168.1.20', dst: '203.0.113.5', lastPacketAtUs: 3, srcMac: '02:00:00:00:00:20' });
  add({ src: '192.168.1.20', dst: '203.0.113.5', lastPacketAtUs: 4, srcMac: '02:00:00:00:00:20' });
  expect(registry.takeSightings()).toEqual([
    { device: { address: '192.168.1.20', mac: null }, atUs: 2 },
    { device: { address: '192.168.1.20', mac: '02:00:00:00:00:20' }, atUs: 3 },
  ]);
  expect(registry.size).toBe(1);
});

test('a sweep over addresses that do not answer never pushes out a device that speaks', () => {
  const registry = new DeviceRegistry({ capacity: 10 });
  const speaker = registry.attribute(flowBatchOf([{ src: '192.168.1.20', dst: '203.0.113.5' }]), 0)[0]?.device;
  const sweep = Array.from({ length: 254 }, (_, host) => ({ src: '203.0.113.5', dst: `192.168.2.${host + 1}` }));
  const batch = flowBatchOf(sweep);
  for (let row = 0; row < batch.count; row++) expect(registry.attribute(batch, row)).toHaveLength(1);
  expect(registry.evicted).toBe(245);
  expect(registry.attribute(flowBatchOf([{ src: '203.0.113.5', dst: '192.168.1.20' }]), 0)[0]?.device).toBe(speaker);
});

test('among devices that speak, the one unheard of for longest leaves', () => {
  const registry = new DeviceRegistry({ capacity: 2 });
  const see = (src: string): object | undefined =>
    registry.attribute(flowBatchOf([{ src, dst: '203.0.113.5' }]), 0)[0]?.device;
  const first = see('192.168.1.1');
  const second = see('192.168.1.2');
  see('192.168.1.1');
  see('192.168.1.3');
  expect(see('192.168.1.1')).toBe(first);
  expect(see('192.168.1.2')).not.toBe(second);
});

const hourUs = 3600 * 1e6;

test('multicast and broadcast of any kind are nobody, and their sender keeps the flow', () => {
  const everyone = 'ff:ff:ff:ff:ff:ff';
  const registry = new DeviceRegistry();
  const camera = '192.168.1.20';
  expect(rolesOf(registry, { src: camera, dst: '224.0.0.251', dstMac: '01:00:5e:00:00:fb' })).toEqual([
    `${camera} outbound`,
  ]);
  expect(rolesOf(registry, { src: camera, dst: '255.255.255.255', dstMac: everyone })).toEqual([`${camera} outbound`]);
  expect(rolesOf(registry, { src: camera, dst: '192.168.1.255', dstMac: everyone })).toEqual([`${camera} internal`]);
  expect(rolesOf(registry, { src: '203.0.113.5', dst: '203.0.113.255', dstMac: everyone })).toEqual([]);
  expect(rolesOf(registry, { src: 'fe80::1', dst: 'ff02::1:ff00:20', dstMac: '33:33:ff:00:00:20' })).toEqual([
    'fe80::1 outbound',
  ]);
  expect(registry.takeSightings().map(({ device }) => device.address)).toEqual([camera, 'fe80::1']);
});

test('a host that answers what was sent to everyone is a host', () => {
  const row = { src: '192.168.1.20', dst: '192.168.1.30', dstMac: 'ff:ff:ff:ff:ff:ff' };
  const answered = { ...row, features: { 'Total Backward Packets': 1 } };
  expect(rolesOf(new DeviceRegistry(), answered)).toEqual(['192.168.1.20 internal', '192.168.1.30 internal']);
});

test('an address that DHCP gives to another device is that device from its first packet on', () => {
  const registry = new DeviceRegistry();
  const lease = (srcMac: string, atUs: number): string | null | undefined =>
    registry.attribute(flowBatchOf([{ src: '192.168.1.20', dst: '203.0.113.5', srcMac, lastPacketAtUs: atUs }]), 0)[0]
      ?.device.mac;
  expect(lease('02:00:00:00:00:20', 1)).toBe('02:00:00:00:00:20');
  expect(lease('02:00:00:00:00:21', hourUs)).toBe('02:00:00:00:00:21');
  expect(registry.addressesOf('02:00:00:00:00:20')).toEqual([]);
  expect(registry.takeSightings().map(({ device }) => device.mac)).toEqual(['02:00:00:00:00:20', '02:00:00:00:00:21']);
});

test('who speaks in the name of a neighbour does not have it cut with himself; a lease that changed hands is cut in time', () => {
  const registry = new DeviceRegistry();
  const [attacker, neighbour] = ['02:00:00:00:00:66', '02:00:00:00:00:30'];
  const speak = (src: string, srcMac: string, atUs: number): void =>
    void registry.attribute(flowBatchOf([{ src, dst: '203.0.113.5', srcMac, lastPacketAtUs: atUs }]), 0);
  speak('192.168.1.30', neighbour, 1);
  speak('192.168.1.66', attacker, 2);
  speak('192.168.1.30', attacker, 3);
  expect(registry.undisputedAddressesOf(attacker)).toEqual(['192.168.1.66']);
  expect(registry.addressesOf(attacker).toSorted(), 'to be released it is known by both').toEqual([
    '192.168.1.30',
    '192.168.1.66',
  ]);
  speak('192.168.1.30', neighbour, 4);
  expect(registry.undisputedAddressesOf(neighbour), 'nobody knows yet').toEqual([]);
  speak('192.168.1.30', neighbour, 2 * hourUs);
  expect(registry.undisputedAddressesOf(neighbour)).toEqual(['192.168.1.30']);
});

test('an address that nobody was seen with is not cut with who takes it up beside his own', () => {
  const registry = new DeviceRegistry();
  const attacker = '02:00:00:00:00:66';
  const speak = (src: string, atUs: number): void =>
    void registry.attribute(flowBatchOf([{ src, dst: '203.0.113.5', srcMac: attacker, lastPacketAtUs: atUs }]), 0);
  speak('192.168.1.66', 1);
  speak('192.168.1.66', hourUs);
  speak('192.168.1.77', hourUs + 1);
  expect(registry.undisputedAddressesOf(attacker)).toEqual(['192.168.1.66']);
  expect(registry.addressesOf(attacker).toSorted()).toEqual(['192.168.1.66', '192.168.1.77']);
  speak('192.168.1.77', 3 * hourUs);
  expect(registry.undisputedAddressesOf(attacker).toSorted(), 'by then it is his').toEqual([
    '192.168.1.66',
    '192.168.1.77',
  ]);
});

test('who begins to speak for many was not seen to be sent by any of them; what was always behind a router was', () => {
  const [router, attacker, neighbour] = ['02:00:00:00:00:01', '02:00:00:00:00:66', '02:00:00:00:00:30'];
  const registry = new DeviceRegistry({ relayMacs: ['02:00:00:00:00:99'] });
  const isRelayed = (src: string, srcMac: string, atUs: number): boolean => {
    const batch = flowBatchOf([{ src, dst: '192.168.1.20', srcMac, lastPacketAtUs: atUs }]);
    registry.attribute(batch, 0);
    return registry.isRelayed(batch, 0);
  };
  for (let host = 1; host <= 9; host++) expect(isRelayed(`10.9.0.${host}`, router, host)).toBe(false);
  expect(isRelayed('192.168.1.30', neighbour, 10)).toBe(false);
  expect(isRelayed('192.168.1.66', attacker, 11)).toBe(false);
  const forged = ['192.168.1.30', '192.168.1.31', '192.168.1.32', '192.168.1.33'];
  const later = forged.map((src, index) => isRelayed(src, attacker, hourUs + index));
  expect(later, 'a host with a few addresses, until there are too many').toEqual([false, false, true, true]);
  for (const src of forged) expect(isRelayed(src, attacker, hourUs + 10)).toBe(true);
  expect(isRelayed('192.168.1.66', attacker, hourUs + 20), 'what he says for himself').toBe(false);
  expect(isRelayed('192.168.1.30', neighbour, hourUs + 30), 'and what the neighbour says').toBe(false);
  expect(isRelayed('10.9.0.1', router, hourUs + 40)).toBe(false);
});

test('a device that gets another address every day is no router, and its old addresses are left alone', () => {
  const registry = new DeviceRegistry();
  const mac = '02:00:00:00:00:20';
  for (let day = 1; day <= 12; day++) {
    const row = { src: `192.168.1.${day}`, dst: '203.0.113.5', srcMac: mac, lastPacketAtUs: day * 25 * hourUs };
    expect(registry.attribute(flowBatchOf([row]), 0)[0]?.device.mac).toBe(mac);
  }
  expect(registry.addressesOf(mac)).toEqual(['192.168.1.12']);
});

test('all addresses of a dual-stack device have its MAC; privacy addresses make no router of it', () => {
  const registry = new DeviceRegistry({ lanPrefixes: ['192.168.0.0/16', 'fe80::/10', '2001:db8:1::/48'] });
  const mac = '02:00:00:00:00:20';
  const addresses = ['192.168.1.20', 'fe80::20', ...Array.from({ length: 9 }, (_, day) => `2001:db8:1::${day + 1}`)];
  for (const src of addresses) {
    expect(registry.attribute(flowBatchOf([{ src, dst: '2001:db8:9::1', srcMac: mac }]), 0)[0]?.device.mac).toBe(mac);
  }
  expect(registry.addressesOf(mac).toSorted()).toEqual(addresses.toSorted());
});

test('behind a router hop every address is a device without a MAC, and quarantining the router by MAC takes none of them', () => {
  const registry = new DeviceRegistry();
  for (let host = 1; host <= 50; host++) {
    const row = { src: `10.9.0.${host}`, dst: '203.0.113.5', srcMac: '02:00:00:00:00:09', lastPacketAtUs: host };
    expect(rolesOf(registry, row)).toEqual([`10.9.0.${host} outbound`]);
  }
  expect(registry.size).toBe(50);
  expect(registry.addressesOf('02:00:00:00:00:09')).toEqual([]);
});

test('a device is known by the address that the flow has, whoever sent the first packet', () => {
  const registry = new DeviceRegistry();
  const answered = {
    src: '203.0.113.5',
    dst: '192.168.1.20',
    srcMac: '02:00:00:00:00:01',
    dstMac: '02:00:00:00:00:20',
    features: { 'Total Backward Packets': 2 },
  };
  const [role] = registry.attribute(flowBatchOf([answered]), 0);
  expect(role).toMatchObject({ direction: 'inbound', device: { address: '192.168.1.20', mac: null, hasSpoken: true } });
});

test('what a known router brought, or was first seen by its answer, was not seen to be sent by its source', () => {
  const [router, nextHop, device] = ['02:00:00:00:00:01', '02:00:00:00:00:99', '02:00:00:00:00:20'];
  const registry = new DeviceRegistry({ relayMacs: [router] });
  const isRelayed = (macs: Pick<FlowRow, 'srcMac' | 'dstMac'>): boolean =>
    registry.isRelayed(flowBatchOf([{ src: '192.168.1.20', dst: '192.168.1.30', ...macs }]), 0);
  expect(isRelayed({ srcMac: router, dstMac: device })).toBe(true);
  expect(isRelayed({ dstMac: router }), 'an answer is all that was seen').toBe(true);
  expect(isRelayed({ srcMac: device, dstMac: router })).toBe(false);
  expect(isRelayed({ srcMac: device }), 'a cooked capture names the sender alone').toBe(false);
  expect(isRelayed({}), 'a link without MACs tells nothing').toBe(false);
  expect(isRelayed({ srcMac: nextHop })).toBe(false);
  registry.useRelayMacs([router, nextHop]);
  expect(isRelayed({ srcMac: nextHop }), 'learned when the network changed').toBe(true);
  registry.useRelayMacs([]);
  expect(isRelayed({ srcMac: router }), 'of a capture from elsewhere nothing is known').toBe(false);
});

test('what arrives on the way out from beyond its link is nobody’s first word, whichever router brought it', () => {
  const [leg, lan, otherRouter, device] = [
    '02:00:00:00:00:01',
    '02:00:00:00:00:02',
    '00:00:5e:00:01:07',
    '02:00:00:00:00:20',
  ];
  const registry = new DeviceRegistry({
    relayMacs: [leg, lan],
    outsideLegs: [{ mac: leg, subnets: ['203.0.113.2/24', '192.168.0.2/24'] }],
  });
  const see = (src: string, srcMac: string, dstMac: string): boolean => {
    const batch = flowBatchOf([{ src, dst: '198.51.100.9', srcMac, dstMac }]);
    registry.attribute(batch, 0);
    return registry.isRelayed(batch, 0);
  };
  expect(see('192.168.1.20', otherRouter, leg), 'forged beyond a router that is not the next hop').toBe(true);
  expect(registry.addressesOf(otherRouter)).toEqual([]);
  expect(registry.takeSightings()).toMatchObject([{ device: { address: '192.168.1.20', mac: null } }]);
  expect(see('192.168.1.20', device, lan)).toBe(false);
  expect(registry.addressesOf(device)).toEqual(['192.168.1.20']);
  expect(see('192.168.1.20', otherRouter, leg)).toBe(true);
  expect(registry.addressesOf(device), 'nor does it take a known MAC away').toEqual(['192.168.1.20']);
  expect(see('192.168.0.9', device, leg), 'a neighbour on the link itself').toBe(false);
  registry.useOutsideLegs([]);
  expect(see('192.168.1.20', otherRouter, leg), 'learned when the network changed').toBe(false);
});
