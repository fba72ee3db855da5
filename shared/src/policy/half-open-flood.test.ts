import { expect, test } from 'vitest';
import { halfOpenFlood } from './half-open-flood.ts';
import type { JudgedFlow } from './judged-window.ts';

const startUs = 1_700_000_000_000_000;
const camera = '192.168.1.20';

/** Ten flows, a millisecond apart, each from another source. */
function flood(change: (index: number) => Partial<JudgedFlow> = () => ({})): Parameters<typeof halfOpenFlood>[0] {
  const flows = Array.from({ length: 10 }, (_, index): JudgedFlow => ({
    startedAtUs: startUs + index * 1000,
    lastPacketAtUs: startUs + index * 1000 + 900,
    srcIp: `203.0.${index}.9`,
    dstIp: camera,
    dstPort: 80,
    protocol: 6,
    direction: 'inbound',
    fwdPackets: 1,
    bwdPackets: 1,
    fwdBytes: 0,
    bwdBytes: 0,
    ...change(index),
  }));
  return { device: { address: camera, mac: null }, flows };
}

test('many sources that knock on one port at once and say nothing are a flood', () => {
  expect(halfOpenFlood(flood())).toEqual({ port: 80, sources: 8, withinUs: 7000 });
});

test.each<[string, (index: number) => Partial<JudgedFlow>]>([
  ['nobody answers', () => ({ bwdPackets: 0 })],
  ['the answer is repeated', () => ({ bwdPackets: 6 })],
  ['the owner of a forged address resets it', () => ({ fwdPackets: 2 })],
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
  ['clients come back after an outage and speak', () => ({ fwdPackets: 4, bwdPackets: 3, fwdBytes: 60, bwdBytes: 4 })],
  ['clients go on with what they opened', () => ({ fwdPackets: 3, bwdPackets: 2 })],
  ['they come one by one', (index) => ({ startedAtUs: startUs + index * 25_000 })],
  ['every source has a port of its own', (index) => ({ dstPort: index + 1 })],
  ['they are datagrams', () => ({ protocol: 17 })],
  ['the device knocks elsewhere', (index) => ({ srcIp: camera, dstIp: `203.0.${index}.9`, direction: 'outbound' })],
])('it is none where %s', (_, change) => {
  expect(halfOpenFlood(flood(change))).toBeUndefined();
});
