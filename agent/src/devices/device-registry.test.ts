/** Whom a flow belongs to, what is no device at all, and who is forgotten for others. */
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
