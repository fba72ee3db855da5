/** Floods and lines that are held up: whose they are, who may have been forged, and who only visits. */
import { expect, test } from 'vitest';
import { offenderOf, peers } from '../testing/offenders.ts';
import { times } from '../testing/prevention-gateway.ts';
import type { JudgedFlow } from './judged-window.ts';

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
  ).toMatchObject(peers('203.0.113.1', '203.0.113.2'));
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
  expect(offenderOf('ddos_flood', [flood, ...visits])).toMatchObject(peers('203.0.113.9'));
});

test('where nobody does anything of the kind nobody is blamed, however full the window is of him', () => {
  const visits = times(10, (index) => ({ ...visit, startedAtUs: index * 1_000_000 }));
  expect(offenderOf('port_scan', visits)).toMatchObject({ kind: 'target', service: null });
  expect(offenderOf('ddos_flood', visits)).toMatchObject({ kind: 'target', service: null });
});

test('a flood of ordinary requests is known by their number', () => {
  const requests = times(9, (index) => ({ ...visit, srcIp: '203.0.113.9', startedAtUs: index * 20_000 }));
  expect(offenderOf('ddos_flood', [visit, ...requests])).toMatchObject(peers('203.0.113.9'));
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
  expect(offenderOf('slow_rate', flows)).toMatchObject(peers('203.0.113.9'));
  expect(offenderOf('slow_rate', flows, { flowImportance: [0.5, 0.4, 0, 0.1] })).toMatchObject(peers('203.0.113.9'));
  const readSlowly = { ...heldUp, fwdPackets: 9, bwdPackets: 9, fwdBytes: 250, bwdBytes: 2000 };
  expect(offenderOf('slow_rate', [line, readSlowly, readSlowly])).toMatchObject(peers('203.0.113.9'));
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
  expect(offenderOf('slow_rate', [...times(6, () => visit), ...times(4, () => fed)])).toMatchObject(
    peers('203.0.113.9'),
  );
  expect(offenderOf('slow_rate', [...times(7, () => visit), ...times(3, () => fed)])).toMatchObject({ kind: 'target' });
  const oneAfterTheOther = times(4, (n) => ({ ...fed, startedAtUs: n * 13e6, lastPacketAtUs: n * 13e6 + 12e6 }));
  expect(offenderOf('slow_rate', oneAfterTheOther)).toMatchObject({ kind: 'target' });
});

test('who asks on many lines at once and waits on all of them is no visitor, before any of them is slow', () => {
  // the first second of slowhttptest in the bundled capture, its first line answered, and an admin beside it
  const asked = { srcIp: '203.0.113.9', dstPort: 80, fwdPackets: 3, bwdPackets: 2, fwdBytes: 163, bwdBytes: 0 };
  const answered = { ...asked, fwdPackets: 8, bwdPackets: 6, bwdBytes: 4287 };
  const admin = { srcIp: '198.51.100.1', dstPort: 22, fwdPackets: 21, bwdPackets: 18, fwdBytes: 3637, bwdBytes: 3485 };
  expect(offenderOf('slow_rate', [admin, answered, ...times(8, () => asked)])).toMatchObject(peers('203.0.113.9'));
  expect(offenderOf('slow_rate', [admin, ...times(4, () => asked)])).toMatchObject(peers('203.0.113.9'));
  const target = { kind: 'target' };
  expect(
    offenderOf(
      'slow_rate',
      times(3, () => asked),
    ),
  ).toMatchObject(target);
  // a browser's six lines, some of them answered; scattered ports; idle lines; and two who wait, one of them a visitor
  const browser = [...times(2, () => answered), ...times(4, () => asked)];
  expect(offenderOf('slow_rate', browser)).toMatchObject(target);
  const scattered = times(6, (n) => ({ ...asked, dstPort: 80 + n }));
  expect(offenderOf('slow_rate', scattered)).toMatchObject(target);
  const idle = times(6, () => ({ ...asked, fwdBytes: 0 }));
  expect(offenderOf('slow_rate', idle)).toMatchObject(target);
  const waiting = { ...asked, srcIp: '198.51.100.1' };
  expect(offenderOf('slow_rate', [waiting, ...times(6, () => asked)])).toMatchObject(target);
});
