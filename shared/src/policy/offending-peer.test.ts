import { expect, test } from 'vitest';
import type { AttackClass, JudgedFlow } from './judged-window.ts';
import { findOffender, type Offender } from './offending-peer.ts';
import { knock } from '../testing/judged-flows.ts';

const device = '192.168.1.20';

/** Opened by the device. */
function outbound(dstIp: string, flow: Partial<JudgedFlow> = {}): Partial<JudgedFlow> {
  return { srcIp: device, dstIp, direction: 'outbound', ...flow };
}

const everyday = outbound('198.51.100.80', {
  dstPort: 8883,
  fwdPackets: 40,
  bwdPackets: 40,
  fwdBytes: 4000,
  bwdBytes: 4000,
});
const times = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));

interface More {
  readonly device?: string;
  readonly flowImportance?: readonly number[];
  readonly ownAddresses?: readonly string[];
}

/** Inbound from 203.0.113.9 to the device where nothing else is said. */
function offenderOf(attack: AttackClass, flows: readonly Partial<JudgedFlow>[], more: More = {}): Offender {
  const address = more.device ?? device;
  const window = {
    device: { address, mac: null },
    flowImportance: more.flowImportance ?? null,
    flows: flows.map((flow, index): JudgedFlow => ({
      ...knock,
      dstIp: address,
      dstPort: 1 + index,
      ...flow,
    })),
  };
  return findOffender(window, attack, new Set(more.ownAddresses));
}

/** What a test says of peers, and the rest as it is for outside hosts that only knocked. */
function peers(...addresses: readonly [string, ...string[]]): object {
  return expect.objectContaining({ kind: 'peers', peers: addresses, isInside: false });
}

test('an outside scanner is found among the flows that the device opens every day', () => {
  const flows = [...times(5, () => everyday), ...times(5, () => ({ srcIp: '203.0.113.9' }))];
  expect(offenderOf('port_scan', flows)).toEqual(peers('203.0.113.9'));
});

test('who guesses passwords is named, though a forged flood of pages fills the rest of the window', () => {
  const flows = [
    ...times(6, (host) => ({ srcIp: `198.51.100.${host + 1}`, dstPort: 80 })),
    ...times(4, () => ({ srcIp: '203.0.113.9', dstPort: 22 })),
  ];
  expect(offenderOf('brute_force_ssh', flows)).toEqual(peers('203.0.113.9'));
  expect(offenderOf('ddos_flood', flows)).toMatchObject({ kind: 'target' });
});

test('who guesses passwords at a port of no known service is named, beside those who visit others', () => {
  const flows = [
    ...times(5, () => ({ srcIp: '198.51.100.1', dstPort: 443 })),
    ...times(3, () => ({ srcIp: '203.0.113.9', dstPort: 26_503 })),
  ];
  expect(offenderOf('brute_force_ssh', flows)).toEqual(peers('203.0.113.9'));
});

test('who guesses passwords is told from who only visits by the port', () => {
  const flows = [
    ...times(6, () => ({ srcIp: '198.51.100.1', dstPort: 443 })),
    ...times(4, () => ({ srcIp: '203.0.113.9', dstPort: 22 })),
  ];
  expect(offenderOf('brute_force_ssh', flows)).toEqual(peers('203.0.113.9'));
});

test('the attribution of the score to flows decides between hosts that look alike', () => {
  const flows = [...times(6, () => ({ srcIp: '198.51.100.1' })), ...times(4, () => ({ srcIp: '203.0.113.9' }))];
  const flowImportance = [0, 0, 0, -0.1, 0, 0, 0.2, 0.2, 0.2, 0.3];
  expect(offenderOf('other_attack', flows, { flowImportance })).toEqual(peers('203.0.113.9'));
  expect(offenderOf('other_attack', flows)).toEqual(peers('198.51.100.1'));
});

test('one log-in of an admin in the middle of password guessing does not make the admin the attacker', () => {
  const flows = [
    ...times(3, () => ({ srcIp: '203.0.113.9', dstPort: 22 })),
    ...times(2, () => ({ srcIp: '192.168.1.2', dstPort: 80, direction: 'internal' as const })),
    { srcIp: '192.168.1.2', dstPort: 22, direction: 'internal' as const },
  ];
  // as the network explained such a window of the bundled capture
  const flowImportance = [0.055, -0.025, 0.121, 0.067, 0.066, 0.176];
  expect(offenderOf('brute_force_ssh', flows, { flowImportance })).toEqual(peers('203.0.113.9'));
});

test('a device that scans many hosts is the offender, and one that attacks a single host names it', () => {
  expect(
    offenderOf(
      'port_scan',
      times(10, (host) => outbound(`198.51.100.${host}`, { dstPort: 23 })),
    ),
  ).toEqual({
    kind: 'device',
    isInside: false,
  });
  expect(
    offenderOf(
      'brute_force_ssh',
      times(10, () => outbound('198.51.100.7', { dstPort: 22 })),
    ),
  ).toEqual({
    kind: 'destination',
    isInside: false,
    peer: '198.51.100.7',
  });
});

test('a beacon and a leak point to their destination, whoever else talks to the device', () => {
  const visits = times(6, () => ({ srcIp: '203.0.113.9', fwdBytes: 500 }));
  expect(offenderOf('botnet_beacon', [...visits, ...times(4, () => outbound('198.51.100.66'))])).toEqual({
    kind: 'destination',
    isInside: false,
    peer: '198.51.100.66',
  });
  const leak = outbound('198.51.100.99', { fwdBytes: 5_000_000 });
  expect(offenderOf('data_exfiltration', [...times(9, () => everyday), leak])).toEqual({
    kind: 'destination',
    isInside: false,
    peer: '198.51.100.99',
  });
});

test('what a device says to a group of hosts makes nobody a destination', () => {
  const discovery = outbound('239.255.255.250', { protocol: 17, dstPort: 1900 });
  expect(offenderOf('botnet_beacon', [...times(9, () => discovery), outbound('198.51.100.66')])).toEqual({
    kind: 'destination',
    isInside: false,
    peer: '198.51.100.66',
  });
  expect(
    offenderOf(
      'botnet_beacon',
      times(10, () => discovery),
    ),
  ).toEqual({ kind: 'target', service: null });
});

test('a flood from forged sources names its target, and the service where it is one', () => {
  const forged = times(10, (index) => ({ srcIp: `203.0.113.${index}`, dstPort: 80, bwdPackets: 1 }));
  expect(offenderOf('ddos_flood', forged)).toEqual({ kind: 'target', service: { protocol: 'tcp', port: 80 } });
  const logs = times(2, () => ({ srcIp: '192.168.1.77', dstPort: 514, protocol: 17, direction: 'internal' as const }));
  const retried = times(8, (index) => ({
    srcIp: `203.0.${index}.9`,
    dstPort: 80,
    bwdPackets: 4,
    synPackets: 5,
    ackPackets: 4,
  }));
  const target = { kind: 'target', service: { protocol: 'tcp', port: 80 } };
  expect(offenderOf('ddos_flood', [...logs, ...retried]), 'whoever else is there').toEqual(target);
  const manyPorts = times(10, (index) => ({ srcIp: `203.0.113.${index}`, dstPort: index + 1, protocol: 17 }));
  expect(offenderOf('ddos_flood', manyPorts)).toEqual({ kind: 'target', service: null });
});

test('a flood from a few real sources names them, strongest first; from many it names the target', () => {
  const flood = (srcIp: string): Partial<JudgedFlow> => ({
    srcIp,
    dstPort: 80,
    fwdPackets: 500,
    bwdPackets: 400,
    bwdBytes: 9000,
    fwdBytes: 9000,
  });
  expect(
    offenderOf('ddos_flood', [...times(6, () => flood('203.0.113.1')), ...times(4, () => flood('203.0.113.2'))]),
  ).toEqual(peers('203.0.113.1', '203.0.113.2'));
  expect(
    offenderOf(
      'ddos_flood',
      times(10, (index) => flood(`203.0.${index}.7`)),
    ),
  ).toEqual({
    kind: 'target',
    service: { protocol: 'tcp', port: 80 },
  });
});

test('between two devices the one that opened the flows is the offender, from either window', () => {
  const flow = { srcIp: '192.168.1.66', dstIp: device, direction: 'internal', dstPort: 22 } as const;
  expect(
    offenderOf(
      'brute_force_ssh',
      times(10, () => flow),
    ),
  ).toMatchObject({ kind: 'peers', peers: ['192.168.1.66'], isInside: true });
  expect(
    offenderOf(
      'brute_force_ssh',
      times(10, () => flow),
      { device: '192.168.1.66' },
    ),
  ).toEqual({
    kind: 'destination',
    isInside: true,
    peer: device,
  });
});

test("behind the gateway's own address nobody is called an attacker", () => {
  const relayed = times(10, () => ({ srcIp: '192.168.1.1', direction: 'internal' as const, dstPort: 22 }));
  expect(offenderOf('brute_force_ssh', relayed)).toMatchObject({ kind: 'peers', peers: ['192.168.1.1'] });
  expect(offenderOf('brute_force_ssh', relayed, { ownAddresses: ['192.168.1.1'] })).toEqual({
    kind: 'target',
    service: null,
  });
});

test('an attacker who moves within one /64 is one attacker', () => {
  const flows = [
    ...times(6, (index) => ({ srcIp: `2001:db8:bad::${index + 1}`, dstPort: 22 })),
    ...times(4, () => ({ srcIp: '2001:db8:600d::1', dstPort: 22 })),
  ];
  expect(offenderOf('brute_force_ssh', flows)).toEqual(peers('2001:db8:bad::1'));
});

const talk = { fwdPackets: 6, bwdPackets: 5, fwdBytes: 400, bwdBytes: 900, dstPort: 80 };

test('a flood of one network whose hosts keep up conversations names them; where they may be forged it names the target', () => {
  const real = times(10, (host) => ({ ...talk, srcIp: `203.0.113.${host}`, fwdPackets: 500 }));
  expect(offenderOf('ddos_flood', real)).toMatchObject({ kind: 'peers', isGenuine: true });
  const halfOpen = real.map((flow) => ({ ...flow, bwdBytes: 0, fwdBytes: 0 }));
  expect(offenderOf('ddos_flood', halfOpen)).toMatchObject({ kind: 'target' });
});

test.each([
  ['a knock that was answered', { fwdPackets: 1, bwdPackets: 1 }, false],
  ['a forged knock, answered again and again', { fwdPackets: 1, bwdPackets: 6 }, false],
  ['a log-in', { fwdPackets: 8, bwdPackets: 7, fwdBytes: 900, bwdBytes: 1500 }, true],
  ['a request that is sent byte by byte', { fwdPackets: 8, bwdPackets: 7, fwdBytes: 80 }, false],
  ['data sent blindly after a forged SYN, which is refused', { fwdPackets: 3, bwdPackets: 3, fwdBytes: 20 }, false],
  ['datagrams', { protocol: 17, fwdPackets: 8, bwdPackets: 7, fwdBytes: 900, bwdBytes: 1500 }, false],
])('%s proves that the source address is no forgery: %j', (_, flow, isGenuine) => {
  const flows = times(10, () => ({ ...flow, dstPort: 22 }));
  expect(offenderOf('brute_force_ssh', flows)).toMatchObject({ kind: 'peers', isGenuine });
});

const visit = { srcIp: '198.51.100.1', dstPort: 80, fwdPackets: 5, bwdPackets: 6, fwdBytes: 180, bwdBytes: 6000 };

test('who visits while somebody else floods is not blamed with him', () => {
  const flood = { srcIp: '203.0.113.9', protocol: 1, dstPort: 0, fwdPackets: 900, fwdBytes: 50_000, bwdBytes: 50_000 };
  const visits = times(8, (index) => ({ ...visit, startedAtUs: index * 1_000_000 }));
  expect(offenderOf('ddos_flood', [flood, ...visits])).toEqual(peers('203.0.113.9'));
});

test('where nobody does anything of the kind nobody is blamed, however full the window is of him', () => {
  const visits = times(10, (index) => ({ ...visit, startedAtUs: index * 1_000_000 }));
  expect(offenderOf('port_scan', visits)).toMatchObject({ kind: 'target', service: null });
  expect(offenderOf('ddos_flood', visits)).toMatchObject({ kind: 'target', service: null });
});

test('a flood of ordinary requests is known by their number', () => {
  const requests = times(9, (index) => ({ ...visit, srcIp: '203.0.113.9', startedAtUs: index * 20_000 }));
  expect(offenderOf('ddos_flood', [visit, ...requests])).toEqual(peers('203.0.113.9'));
});

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
  expect(offenderOf('port_scan', flows)).toEqual(peers('203.0.113.9'));
});

test('what a router brought in the name of the device itself is told as such', () => {
  const sent = (isRelayed: boolean): Partial<JudgedFlow>[] =>
    times(10, (host) => outbound(`198.51.100.${host + 1}`, { isRelayed: isRelayed && host === 4 }));
  expect(offenderOf('port_scan', sent(true))).toEqual({ kind: 'device', isInside: false, isRelayed: true });
  expect(offenderOf('port_scan', sent(false))).toEqual({ kind: 'device', isInside: false });
  const beacons = times(5, () => outbound('198.51.100.66', { isRelayed: true }));
  expect(offenderOf('botnet_beacon', beacons)).toMatchObject({ kind: 'destination', isRelayed: true });
});

test('who holds up answers is told from who keeps a line open that both ends use', () => {
  const eightSeconds = { startedAtUs: 0, lastPacketAtUs: 8e6 };
  const line = {
    srcIp: '198.51.100.1',
    dstPort: 7007,
    ...eightSeconds,
    fwdPackets: 32,
    bwdPackets: 16,
    fwdBytes: 16,
    bwdBytes: 16,
  };
  const heldUp = {
    srcIp: '203.0.113.9',
    dstPort: 80,
    ...eightSeconds,
    fwdPackets: 5,
    bwdPackets: 2,
    fwdBytes: 240,
    bwdBytes: 0,
  };
  const flows = [line, line, heldUp, heldUp];
  expect(offenderOf('slow_rate', flows)).toEqual(peers('203.0.113.9'));
  expect(offenderOf('slow_rate', flows, { flowImportance: [0.5, 0.4, 0, 0.1] })).toEqual(peers('203.0.113.9'));
  const readSlowly = { ...heldUp, fwdPackets: 9, bwdPackets: 9, fwdBytes: 250, bwdBytes: 2000 };
  expect(offenderOf('slow_rate', [line, readSlowly, readSlowly])).toEqual(peers('203.0.113.9'));
});

test('who holds many lines to one port is no visitor, though the device answered each and he goes on feeding it', () => {
  const fed = {
    srcIp: '203.0.113.9',
    dstPort: 80,
    startedAtUs: 0,
    lastPacketAtUs: 12e6,
    fwdPackets: 8,
    bwdPackets: 7,
    fwdBytes: 480,
    bwdBytes: 711,
  };
  const visit = { srcIp: '198.51.100.1', dstPort: 80, fwdPackets: 5, bwdPackets: 4, fwdBytes: 90, bwdBytes: 900 };
  expect(offenderOf('slow_rate', [...times(6, () => visit), ...times(4, () => fed)])).toEqual(peers('203.0.113.9'));
  expect(offenderOf('slow_rate', [...times(7, () => visit), ...times(3, () => fed)])).toMatchObject({ kind: 'target' });
  const oneAfterTheOther = times(4, (n) => ({ ...fed, startedAtUs: n * 13e6, lastPacketAtUs: n * 13e6 + 12e6 }));
  expect(offenderOf('slow_rate', oneAfterTheOther)).toMatchObject({ kind: 'target' });
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
