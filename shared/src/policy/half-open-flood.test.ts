import { expect, test } from 'vitest';
import { camera, halfOpen, knock, startUs } from '../testing/judged-flows.ts';
import { halfOpenFlood } from './half-open-flood.ts';
import type { JudgedFlow } from './judged-window.ts';

/** Ten SYNs, a millisecond apart, each from another source and answered by a SYN-ACK that nobody acknowledges. */
function flood(change: (index: number) => Partial<JudgedFlow> = () => ({})): Parameters<typeof halfOpenFlood>[0] {
  const flows = Array.from({ length: 10 }, (_, index): JudgedFlow => ({
    ...knock,
    ...halfOpen,
    startedAtUs: startUs + index * 1000,
    lastPacketAtUs: startUs + index * 1000 + 900,
    srcIp: `203.0.${index}.9`,
    ...change(index),
  }));
  return { device: { address: camera, mac: null }, flows };
}

/** Nobody answers. */
const unanswered: Partial<JudgedFlow> = { bwdPackets: 0, synPackets: 1, ackPackets: 0 };

test('many sources that knock on one port at once, are answered and leave it at that are a flood', () => {
  expect(halfOpenFlood(flood())).toEqual({ port: 80, sources: 8, withinUs: 7000, untilUs: startUs + 9000 });
});

test('where nobody answers, a whole window at five hundred a second is one', () => {
  expect(halfOpenFlood(flood(() => unanswered))).toMatchObject({ sources: 10, withinUs: 9000 });
  const some = (index: number): Partial<JudgedFlow> => (index < 4 ? {} : unanswered);
  expect(halfOpenFlood(flood(some)), 'its backlog is full').toMatchObject({ sources: 10 });
});

test('knocks that were seen before are no new ones', () => {
  expect(halfOpenFlood(flood(), startUs + 1000)).toMatchObject({ sources: 8 });
  expect(halfOpenFlood(flood(), startUs + 2000)).toBeUndefined();
});

test.each<[string, (index: number) => Partial<JudgedFlow>]>([
  ['the answer is repeated', () => ({ bwdPackets: 6, synPackets: 7, ackPackets: 6 })],
  ['the SYN is repeated', () => ({ fwdPackets: 2, synPackets: 3 })],
  ['they come at fifty a second', (index) => ({ startedAtUs: startUs + index * 20_000 })],
  ['two visitors are among them', (index) => (index === 3 || index === 6 ? { fwdBytes: 200, bwdBytes: 900 } : {})],
  ['the flows are not in the order of their beginnings', (index) => ({ startedAtUs: startUs - index * 1000 })],
  ['an older flow is among them', (index) => (index === 0 ? { startedAtUs: startUs - 40_000_000 } : {})],
  ['the sources are of IPv6, each of a network of its own', (index) => ({ srcIp: `2001:db8:${index}::9` })],
])('it is one where %s', (_, change) => {
  expect(halfOpenFlood(flood(change))).toBeDefined();
});

test.each<[string, (index: number) => Partial<JudgedFlow>]>([
  ['one host scans or knocks', () => ({ srcIp: '203.0.113.9' })],
  ['one host of IPv6 takes another address each time', (index) => ({ srcIp: `2001:db8::${index + 1}` })],
  ['a few hosts take turns', (index) => ({ srcIp: `203.0.113.${index % 7}` })],
  [
    'clients come back after an outage and speak',
    () => ({ fwdPackets: 4, bwdPackets: 3, fwdBytes: 60, bwdBytes: 4, ackPackets: 6 }),
  ],
  ['clients finish the handshake and are silent', () => ({ fwdPackets: 2, ackPackets: 2 })],
  ['clients are refused while a broker restarts', () => ({ synPackets: 1 })],
  ['whoever the addresses belong to refuses the answer', () => ({ fwdPackets: 2 })],
  ['clients wait for a device that boots', (index) => ({ ...unanswered, startedAtUs: startUs + index * 4000 })],
  [
    'they wait, and have asked twice',
    (index) => ({ ...unanswered, fwdPackets: 2, synPackets: 2, startedAtUs: startUs + index * 4000 }),
  ],
  ['they are devices of the LAN', () => ({ direction: 'internal' })],
  ['one of ten is known and nobody answers', (index) => ({ ...unanswered, srcIp: `203.0.${index % 9}.9` })],
  ['they come one by one', (index) => ({ startedAtUs: startUs + index * 25_000 })],
  ['every source has a port of its own', (index) => ({ dstPort: index + 1 })],
  ['they are datagrams', () => ({ protocol: 17 })],
  ['the device knocks elsewhere', (index) => ({ srcIp: camera, dstIp: `203.0.${index}.9`, direction: 'outbound' })],
])('it is none where %s', (_, change) => {
  expect(halfOpenFlood(flood(change))).toBeUndefined();
});

test('where nobody knows the flags nothing is found', () => {
  const { device, flows } = flood();
  const stored = flows.map(({ synPackets: _syn, ackPackets: _ack, ...flow }) => flow);
  expect(halfOpenFlood({ device, flows: stored })).toBeUndefined();
});
