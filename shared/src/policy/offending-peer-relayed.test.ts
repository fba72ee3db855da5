/** What a router brought, or several MACs sent, is held against no device of the LAN. */
import { expect, test } from 'vitest';
import { offenderOf, outbound, peers } from '../testing/offenders.ts';
import { times } from '../testing/prevention-gateway.ts';
import type { JudgedFlow } from './judged-window.ts';

test('a device of the LAN is no attacker for what a router brought in its name: its target is', () => {
  const knocks = (more: Partial<JudgedFlow>): Partial<JudgedFlow>[] =>
    times(10, () => ({ srcIp: '192.168.1.30', direction: 'internal', dstPort: 80, ...more }));
  const target = { kind: 'target', service: { protocol: 'tcp', port: 80 } };
  expect(offenderOf('ddos_flood', knocks({}))).toMatchObject({
    kind: 'peers',
    peers: ['192.168.1.30'],
    isInside: true,
  });
  expect(offenderOf('ddos_flood', knocks({ isRelayed: false }))).toMatchObject({ kind: 'peers', isInside: true });
  expect(offenderOf('ddos_flood', knocks({ isRelayed: true }))).toEqual(target);
  const some = knocks({}).map((flow, index) => ({ ...flow, isRelayed: index < 3 }));
  expect(offenderOf('ddos_flood', some), 'nor for what may be a mixture').toEqual(target);
  const beside = [
    ...times(6, () => ({ srcIp: '192.168.1.40', direction: 'internal' as const, dstPort: 80, isRelayed: false })),
    ...knocks({ isRelayed: true }).slice(0, 4),
  ];
  expect(offenderOf('ddos_flood', beside), 'nor beside one that was seen to').toMatchObject({
    kind: 'peers',
    peers: ['192.168.1.40'],
  });
});

test('everything from outside comes by a router, and is held against its sender all the same', () => {
  const flows = times(10, () => ({ srcIp: '203.0.113.9', isRelayed: true }));
  expect(offenderOf('port_scan', flows)).toMatchObject(peers('203.0.113.9'));
});

test('what a router brought in the name of the device itself is told as such', () => {
  const sent = (isRelayed: boolean): Partial<JudgedFlow>[] =>
    times(10, (host) => outbound(`198.51.100.${host + 1}`, { isRelayed: isRelayed && host === 4 }));
  expect(offenderOf('port_scan', sent(true))).toEqual({ kind: 'device', isInside: false, isRelayed: true });
  expect(offenderOf('port_scan', sent(false))).toEqual({ kind: 'device', isInside: false });
  const beacons = times(5, () => outbound('198.51.100.66', { isRelayed: true }));
  expect(offenderOf('botnet_beacon', beacons)).toMatchObject({ kind: 'destination', isRelayed: true });
});

test('where two MACs sent under one address it is said in the name of the device, and a neighbour is not named', () => {
  const [one, other] = ['02:00:00:00:00:20', '02:00:00:00:00:66'];
  const beacons = (srcMac: string | null): Partial<JudgedFlow>[] =>
    times(5, (index) => outbound('198.51.100.66', { srcMac: index === 2 ? srcMac : one }));
  const destination = { kind: 'destination', peer: '198.51.100.66', isInside: false };
  expect(offenderOf('botnet_beacon', beacons(other))).toEqual({ ...destination, isRelayed: true });
  expect(offenderOf('botnet_beacon', beacons(one))).toEqual(destination);
  expect(offenderOf('botnet_beacon', beacons(null)), 'nobody knows').toEqual(destination);
  const scan = (srcMac: string): Partial<JudgedFlow>[] =>
    times(8, (index) => ({
      srcIp: '192.168.1.30',
      direction: 'internal' as const,
      srcMac: index === 2 ? srcMac : one,
    }));
  expect(offenderOf('port_scan', scan(one))).toMatchObject({ kind: 'peers', peers: ['192.168.1.30'] });
  expect(offenderOf('port_scan', scan(other))).toMatchObject({ kind: 'target' });
});
