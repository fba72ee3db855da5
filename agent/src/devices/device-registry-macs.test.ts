/** Which MAC is a device's, and which addresses may be cut with it: nobody suffers for who speaks in his name. */
import { expect, test } from 'vitest';
import { flowBatchOf } from '../testing/flow-rows.ts';
import { DeviceRegistry } from './device-registry.ts';

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

const hourUs = 3600 * 1e6;

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
