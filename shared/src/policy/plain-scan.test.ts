import { expect, test } from 'vitest';
import { countedIn, oneAfterTheOther, refused } from '../testing/counted-flows.ts';
import { camera, startUs } from '../testing/judged-flows.ts';
import { talk } from '../testing/prevention-gateway.ts';
import type { JudgedFlow } from './judged-window.ts';

const stranger = '203.0.113.9';
const out = (dstIp: string, more: Partial<JudgedFlow> = {}): Partial<JudgedFlow> => ({
  ...refused,
  srcIp: camera,
  dstIp,
  direction: 'outbound',
  ...more,
});

test('thirty ports of one host tried within ten seconds are a scan, whoever tries them', () => {
  const ports = (count: number): readonly Partial<JudgedFlow>[] =>
    oneAfterTheOther(count, 0.1, (port) => ({ ...refused, dstPort: port + 1 }));
  expect(countedIn(ports(29))).toEqual([]);
  expect(countedIn(ports(30))).toEqual([
    `30 ports of ${camera} tried by ${stranger} within 2.9 s, and not a byte said`,
  ]);
  expect(countedIn(ports(100)).at(-1)).toBe(
    `at least 60 ports of ${camera} tried by ${stranger} within 5.9 s, and not a byte said`,
  );
  const ours = oneAfterTheOther(30, 0.1, (port) => out('198.51.100.1', { dstPort: port + 1 }));
  expect(countedIn(ours)).toEqual([`30 ports of 198.51.100.1 tried by ${camera} within 2.9 s, and not a byte said`]);
});

test('a device that knocks on one port of many hosts, or on some ports of some, scans as well', () => {
  const telnet = oneAfterTheOther(40, 0.05, (host) => out(`198.51.100.${host + 1}`, { dstPort: 23 }));
  expect(countedIn(telnet).at(-1)).toBe(`port 23 of 40 hosts tried by ${camera} within 1.9 s, and not a byte said`);
  const some = oneAfterTheOther(30, 0.1, (at) =>
    out(`198.51.100.${(at % 5) + 1}`, { dstPort: 20 + Math.floor(at / 5) }),
  );
  expect(countedIn(some)).toEqual([`30 ports of 5 hosts tried by ${camera} within 2.9 s, and not a byte said`]);
});

test.each([
  ['is slower', oneAfterTheOther(200, 0.4, (port) => ({ ...refused, dstPort: port + 1 }))],
  ['says something', oneAfterTheOther(60, 0.1, (port) => ({ ...talk, synPackets: 2, dstPort: port + 1 }))],
  [
    'looks whether others are still up',
    oneAfterTheOther(60, 0.1, (at) =>
      out(`192.168.1.${at + 30}`, {
        direction: 'internal',
        dstPort: 9100,
        fwdPackets: 3,
        bwdPackets: 2,
        ackPackets: 4,
      }),
    ),
  ],
  [
    'says a little',
    oneAfterTheOther(60, 0.1, (port) => ({ ...refused, fwdPackets: 4, fwdBytes: 20, dstPort: port + 1 })),
  ],
  [
    'hears a little',
    oneAfterTheOther(60, 0.1, (port) => ({ ...refused, fwdPackets: 4, bwdBytes: 20, dstPort: port + 1 })),
  ],
  ['opens nothing', oneAfterTheOther(60, 0.1, (port) => ({ ...refused, synPackets: 0, dstPort: port + 1 }))],
  ['is not known to', oneAfterTheOther(60, 0.1, (port) => ({ dstPort: port + 1 }))],
  ['tries a dead service for minutes', oneAfterTheOther(1200, 0.2, () => out('198.51.100.1', { dstPort: 8883 }))],
  ['opens one page', oneAfterTheOther(40, 0.01, (at) => out(`198.51.100.${at + 1}`, { ...talk, dstPort: 443 }))],
  ['opens pages in an outage', oneAfterTheOther(60, 0.1, (at) => out(`198.51.100.${at + 1}`, { dstPort: 443 }))],
  [
    'looks for peers that are gone',
    oneAfterTheOther(60, 0.1, (at) => out(`198.51.100.${at + 1}`, { dstPort: 20_000 + at })),
  ],
])('who %s does not scan', (_, flows) => {
  expect(countedIn(flows)).toEqual([]);
});

test('many hosts that knock once each are not one that scans', () => {
  const forged = oneAfterTheOther(200, 0.02, (at) => ({ ...refused, srcIp: `203.0.113.${at + 1}`, dstPort: at + 1 }));
  expect(countedIn(forged)).toEqual([]);
});

test('what was silent at first and answered later is taken back', () => {
  const asked = (port: number): Partial<JudgedFlow> => ({ startedAtUs: startUs + port * 1e5, dstPort: port + 1 });
  const silent = oneAfterTheOther(20, 0.1, (port) => ({ ...refused, ...asked(port) }));
  const late = oneAfterTheOther(20, 0.1, (port) => ({
    ...talk,
    synPackets: 2,
    ...asked(port),
    lastPacketAtUs: startUs + 2e6 + port * 1e5,
  }));
  const more = oneAfterTheOther(20, 0.1, (at) => ({
    ...refused,
    startedAtUs: startUs + 4e6 + at * 1e5,
    lastPacketAtUs: startUs + 4e6 + at * 1e5,
    dstPort: 100 + at,
  }));
  expect(countedIn([...silent, ...more])).not.toEqual([]);
  expect(countedIn([...silent, ...late, ...more])).toEqual([]);
});
