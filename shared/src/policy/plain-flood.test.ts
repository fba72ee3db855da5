import { expect, test } from 'vitest';
import { countedIn, oneAfterTheOther, refused } from '../testing/counted-flows.ts';
import { camera, startUs } from '../testing/judged-flows.ts';
import type { JudgedFlow } from './judged-window.ts';

const unanswered = { fwdPackets: 1, bwdPackets: 0, synPackets: 1 } satisfies Partial<JudgedFlow>;
const udp = { ...unanswered, protocol: 17, fwdBytes: 900, synPackets: 0 };
const log = (dstPort: number): Partial<JudgedFlow> => ({
  ...udp,
  dstPort,
  srcIp: '192.168.1.5',
  direction: 'internal',
});

test('a hundred flows of one host to one port within ten seconds that nobody answers are a flood', () => {
  expect(countedIn(oneAfterTheOther(99, 0.05, () => unanswered))).toEqual([]);
  expect(countedIn(oneAfterTheOther(100, 0.05, () => unanswered))).toEqual([
    `100 flows to port 80 of ${camera} by 203.0.113.9 within 5 s, none of them answered`,
  ]);
  expect(countedIn(oneAfterTheOther(100, 0.05, () => ({ ...udp, dstPort: 5683 })))).toHaveLength(1);
});

test.each([
  ['is slower', oneAfterTheOther(400, 0.11, () => unanswered)],
  ['is answered', oneAfterTheOther(400, 0.05, () => ({ ...unanswered, bwdPackets: 1 }))],
  ['goes to many ports', oneAfterTheOther(400, 0.05, (at) => ({ ...udp, dstPort: 1000 + (at % 10) }))],
  ['asks a resolver that is away', oneAfterTheOther(400, 0.05, () => log(53))],
  ['writes logs', oneAfterTheOther(400, 0.05, () => log(514))],
  ['writes each line of a log from a socket of its own', oneAfterTheOther(400, 0.05, () => log(12_201))],
  ['tells an accounting server that is away who came', oneAfterTheOther(400, 0.05, () => log(1813))],
  ['talks to a group', oneAfterTheOther(400, 0.05, () => ({ ...log(6000), dstIp: '239.1.2.3' }))],
  ['talks to the whole network', oneAfterTheOther(400, 0.05, () => ({ ...log(6000), dstIp: '192.168.1.255' }))],
])('who %s floods nobody', (_, flows) => {
  expect(countedIn(flows)).toEqual([]);
});

/** A SYN, and once it is answered the sender's kernel, which knows nothing of it, says so. */
const halfOpenThenReset = { fwdPackets: 2, bwdPackets: 1, synPackets: 2, ackPackets: 1 } satisfies Partial<JudgedFlow>;

test('three hundred connections of one host to one port within ten seconds that lead to nothing are a flood, whoever refuses them', () => {
  const words = `300 connections to port 80 of ${camera} tried by 203.0.113.9 within 9 s, none of them completed`;
  expect(countedIn(oneAfterTheOther(299, 0.03, () => refused))).toEqual([]);
  expect(countedIn(oneAfterTheOther(300, 0.03, () => refused))).toEqual([words]);
  expect(countedIn(oneAfterTheOther(300, 0.03, () => halfOpenThenReset))).toEqual([words]);
  const some = oneAfterTheOther(300, 0.03, (at) => (at % 5 === 0 ? unanswered : refused));
  expect(countedIn(some), 'and some of them nobody').toEqual([words]);
  const victim = '198.51.100.7';
  const outward = { ...refused, srcIp: camera, dstIp: victim, direction: 'outbound' as const };
  expect(countedIn(oneAfterTheOther(300, 0.01, () => outward))).toEqual([
    `300 connections to port 80 of ${victim} tried by ${camera} within 3 s, none of them completed`,
  ]);
});

test.each([
  ['tries again every tenth of a second', oneAfterTheOther(400, 0.1, () => refused)],
  [
    'tries many services that are gone',
    oneAfterTheOther(400, 0.02, (at) => ({ ...refused, dstPort: 8000 + (at % 8) })),
  ],
  ['looks whether it is still up', oneAfterTheOther(400, 0.02, () => ({ ...refused, fwdPackets: 3, ackPackets: 4 }))],
  ['says something', oneAfterTheOther(400, 0.02, () => ({ ...refused, direction: 'internal' as const, fwdBytes: 20 }))],
  ['hears something', oneAfterTheOther(400, 0.02, () => ({ ...refused, bwdBytes: 20 }))],
  ['is one of many', oneAfterTheOther(400, 0.02, (at) => ({ ...refused, srcIp: `203.0.113.${(at % 8) + 1}` }))],
])('who %s floods nobody with connections', (_, flows) => {
  expect(countedIn(flows).filter((words) => words.includes('none of them completed'))).toEqual([]);
});

const page = {
  fwdPackets: 6,
  bwdPackets: 5,
  fwdBytes: 120,
  bwdBytes: 3000,
  synPackets: 2,
} satisfies Partial<JudgedFlow>;

test('three hundred short connections of one outside host to one port within ten seconds are a flood, answered or not', () => {
  expect(countedIn(oneAfterTheOther(299, 0.03, () => page))).toEqual([]);
  expect(countedIn(oneAfterTheOther(300, 0.03, () => page))).toEqual([
    `300 short connections to port 80 of ${camera} by 203.0.113.9 within 9 s`,
  ]);
  expect(countedIn(oneAfterTheOther(400, 0.035, () => page)), 'slower').toEqual([]);
});

test.each([
  ['uses one connection for many pages', oneAfterTheOther(400, 0.02, () => ({ ...page, fwdPackets: 80 }))],
  ['uploads', oneAfterTheOther(400, 0.02, () => ({ ...page, fwdBytes: 90_000 }))],
  ['asks many services', oneAfterTheOther(400, 0.02, (at) => ({ ...page, dstPort: 8000 + (at % 8) }))],
  ['is one of many', oneAfterTheOther(400, 0.02, (at) => ({ ...page, srcIp: `203.0.113.${(at % 8) + 1}` }))],
  [
    'is a device of the LAN that asks another',
    oneAfterTheOther(400, 0.02, () => ({ ...page, srcIp: '192.168.1.5', direction: 'internal' as const })),
  ],
])('who %s does not flood it with pages', (_, flows) => {
  expect(countedIn(flows)).toEqual([]);
});

test('forged sources are nobody, and one flow that is shown again is one', () => {
  const forged = oneAfterTheOther(400, 0.01, (at) => ({ ...unanswered, srcIp: `203.0.${at % 200}.9` }));
  expect(countedIn(forged)).toEqual([]);
  const shownAgain = oneAfterTheOther(400, 0.01, () => ({ ...unanswered, startedAtUs: startUs }));
  expect(countedIn(shownAgain)).toEqual([]);
});

test('one connection of a thousand packets without an answer is a flood, and is told again while it grows', () => {
  const grown = (seconds: number, fwdPackets: number, more: Partial<JudgedFlow> = {}): Partial<JudgedFlow> => ({
    ...unanswered,
    lastPacketAtUs: startUs + seconds * 1e6,
    fwdPackets,
    synPackets: fwdPackets,
    ackPackets: 0,
    ...more,
  });
  expect(countedIn([grown(2, 1000), grown(7, 3500)])).toEqual([
    `one connection of 1000 packets or more to port 80 of ${camera} by 203.0.113.9 within 2 s, none of them answered`,
    `one connection of 1000 packets or more to port 80 of ${camera} by 203.0.113.9 within 7 s, none of them answered`,
  ]);
  expect(countedIn([grown(2, 999)])).toEqual([]);
  expect(countedIn([grown(12, 1000)]), 'slower').toEqual([]);
  expect(countedIn([grown(2, 1000, { bwdPackets: 1 })]), 'answered').toEqual([]);
  expect(countedIn([grown(2, 1000, { protocol: 17 })]), 'a video').toEqual([]);
  const upload = { synPackets: 1, ackPackets: 999 };
  expect(countedIn([grown(2, 1000, upload)]), 'its answers go another way').toEqual([]);
});
