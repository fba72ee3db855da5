/** Who is blamed where the capture lost the beginning of what it shows. */
import { expect, test } from 'vitest';
import { startUs } from '../testing/judged-flows.ts';
import { offenderOf, outbound, peers } from '../testing/offenders.ts';
import { times } from '../testing/prevention-gateway.ts';
import type { JudgedFlow } from './judged-window.ts';

/** Pages of the camera on their way to who asks for them, as `ab` was served while packets were lost. */
const answers = (flow: Partial<JudgedFlow> = {}): Partial<JudgedFlow>[] =>
  times(10, (index) => ({
    ...outbound('203.0.113.9', { srcPort: 80, dstPort: 40_000 + index, synPackets: 0, ackPackets: 8 }),
    startedAtUs: startUs + index * 10_000,
    lastPacketAtUs: startUs + index * 10_000 + 5000,
    fwdPackets: 6,
    bwdPackets: 3,
    fwdBytes: 7587,
    bwdBytes: 80,
    ...flow,
  }));

test('a device under a flood is not blamed for the answers to requests that the capture lost', () => {
  expect(offenderOf('ddos_flood', answers())).toEqual({
    ...peers('203.0.113.9'),
    isGenuine: true,
    service: { protocol: 'tcp', port: 80 },
  });
  const mixed = [...answers().slice(3), ...times(3, () => ({ dstPort: 80, fwdPackets: 4, bwdBytes: 7587 }))];
  expect(offenderOf('ddos_flood', mixed)).toMatchObject(peers('203.0.113.9'));
});

test.each<[string, Partial<JudgedFlow>]>([
  ['its SYN was seen', { synPackets: 1 }],
  ['it goes to a service', { dstPort: 443 }],
  ['it comes from a port that serves nothing', { srcPort: 50_000 }],
  ['it is not TCP', { protocol: 17 }],
])('a device answers for what it sends where %s', (_, flow) => {
  expect(offenderOf('ddos_flood', answers(flow))).toMatchObject({ kind: 'destination', peer: '203.0.113.9' });
});

test.each(['synPackets', 'srcPort'] as const)(
  'a device answers for what it sends where nobody knows the %s',
  (field) => {
    const known = answers().map((flow) => Object.entries(flow).filter(([name]) => name !== field));
    expect(
      offenderOf(
        'ddos_flood',
        known.map((flow) => Object.fromEntries(flow)),
      ),
    ).toMatchObject({ kind: 'destination', peer: '203.0.113.9' });
  },
);

test('who floods from the port of a service has nobody else blamed for it', () => {
  const flood = times(10, (index) => ({
    startedAtUs: startUs + index * 1000,
    srcPort: 80,
    dstPort: 40_000 + index,
    synPackets: 0,
    ackPackets: 60,
    fwdPackets: 60,
    bwdPackets: 0,
  }));
  expect(offenderOf('ddos_flood', flood)).toMatchObject(peers('203.0.113.9'));
});

test('a device that attacks another of its LAN from the port of a service has nobody else blamed for it', () => {
  const inside = answers({ dstIp: '192.168.1.30', direction: 'internal' });
  expect(offenderOf('ddos_flood', inside)).toMatchObject({ kind: 'destination', peer: '192.168.1.30' });
});
