/** Who is blamed where the capture lost the beginning of what it shows. */
import { expect, test } from 'vitest';
import { camera, knock, startUs } from '../testing/judged-flows.ts';
import { offenderOf, outbound, peers } from '../testing/offenders.ts';
import { times } from '../testing/prevention-gateway.ts';
import type { JudgedFlow } from './judged-window.ts';
import { KnownDestinations } from './known-destinations.ts';
import { Partners } from './partners.ts';

/** Pages of the camera on their way to who asks for them, as `ab` was served while packets were lost. */
const answers = (flow: Partial<JudgedFlow> = {}): Partial<JudgedFlow>[] =>
  times(10, (index) => ({
    ...outbound('203.0.113.9', { srcPort: 80, dstPort: 40_000 + index, synPackets: 0, ackPackets: 9 }),
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
  ['nobody answers', { bwdPackets: 0, bwdBytes: 0, ackPackets: 6 }],
  ['it is refused: a reset acknowledges nothing', { ackPackets: 6 }],
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

test('what a device sends is its own where that is the attack, whoever opened the line', () => {
  const upload = [...answers({ fwdBytes: 3_000_000 }).slice(1), outbound('198.51.100.7', { dstPort: 443 })];
  for (const attack of ['data_exfiltration', 'botnet_beacon'] as const)
    expect(offenderOf(attack, upload)).toMatchObject({ kind: 'destination', peer: '203.0.113.9' });
});

test('nobody is blamed for answers that a router, or another MAC, brought in the name of the device', () => {
  const destination = { kind: 'destination', peer: '203.0.113.9' };
  expect(offenderOf('ddos_flood', answers({ isRelayed: true }))).toMatchObject(destination);
  const [first, ...others] = answers({ srcMac: '02:00:00:00:00:01' });
  const contested = [{ ...first, srcMac: '02:00:00:00:00:02' }, ...others];
  expect(offenderOf('ddos_flood', contested)).toMatchObject(destination);
});

test('a host that only acknowledged may be somebody else’s name', () => {
  expect(offenderOf('ddos_flood', answers({ bwdBytes: 0 }))).toMatchObject({ isGenuine: false });
});

test('a host whose requests were lost is no destination that the device is known for', () => {
  const known = new KnownDestinations(10);
  const window = { device: { address: camera, mac: null }, atUs: startUs, score: 0, threshold: 0.9 };
  const flows = answers().map((flow) => ({ ...knock, ...flow }));
  const isKnown = (): boolean => known.has(camera, '203.0.113.9', startUs);
  const note = (seen: readonly JudgedFlow[]): void =>
    known.note({
      ...window,
      attack: 'ddos_flood',
      flowsSeen: 10,
      countsAsEvidence: true,
      flowImportance: null,
      flows: seen,
    });
  note(flows);
  expect(isKnown()).toBe(false);
  note(flows.map((flow) => ({ ...flow, synPackets: 1 })));
  expect(isKnown()).toBe(true);
});

test('a host whose requests were lost is no partner of the device', () => {
  const partners = new Partners(10);
  const flows = answers().map((flow) => ({ ...knock, ...flow }));
  partners.note({ flows, atUs: startUs });
  expect(partners.has('203.0.113.9', startUs)).toBe(false);
  partners.note({ flows: flows.map((flow) => ({ ...flow, synPackets: 1 })), atUs: startUs });
  expect(partners.has('203.0.113.9', startUs)).toBe(true);
});

test('whatever a device says to who opens others to the same port is the rest of such, on any port and unanswered', () => {
  const tails = answers({ srcPort: 8123, fwdPackets: 1, bwdPackets: 0, bwdBytes: 0, ackPackets: 1 });
  const begun = { dstPort: 8123, fwdPackets: 4, bwdBytes: 7587, synPackets: 2 };
  expect(offenderOf('ddos_flood', [begun, ...tails.slice(1)])).toMatchObject(peers('203.0.113.9'));
  const elsewhere = [{ ...begun, srcIp: '198.51.100.7' }, ...tails.slice(1)];
  expect(offenderOf('ddos_flood', elsewhere)).toMatchObject({ kind: 'destination', peer: '203.0.113.9' });
});
