/**
 * Where we deliberately part from the published meters, one test each: what we say of a small capture, and what they say
 * of it, worked out from its bytes by the mistake that they make. What stands before the colon of a title stands in the
 * table of docs/flow-meter.md, and in that of `bench -- exactness` where its captures have such a case.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type MeteredFlow, RecordingMeter } from '../testing/meter-frames.ts';
import { arpFrame, ethernetFrame, tcpFrame, type TimedFrame, udpFrame } from '../testing/packet-builder.ts';
import type { FlowMeterOptions } from './flow-meter.ts';

const startUs = 1_700_000_000_000_000;
const client = { src: '10.0.0.2', dst: '203.0.113.5', srcPort: 40_001, dstPort: 80 };

function timed(...frames: readonly Uint8Array[]): TimedFrame[] {
  return frames.map((frame, index) => ({ timeUs: startUs + 100 * index, frame }));
}

function metered(
  profile: FlowMeterOptions['profile'],
  frames: readonly TimedFrame[],
  options: Partial<FlowMeterOptions> = {},
): readonly MeteredFlow[] {
  return new RecordingMeter({ profile, endings: 'reference', ...options }).add(...frames).finish();
}

test('vlan-trailer: what fills up a tagged frame is no payload, nor does a tag make it shorter', () => {
  const tagged = tcpFrame(client, { flags: 'S', vlans: [100] });
  const theirs = tagged.length - 14 - 4 - 20 - 20; // everything behind the TCP header
  expect(theirs).toBe(2);
  for (const [profile, ours] of [
    ['fixed', 0],
    ['improved2022', 0],
    ['cic2017', 6], // as in the same frame without its tag
  ] as const) {
    const [flow] = metered(profile, timed(tagged, tagged));
    expect(flow?.features['Fwd Packet Length Max']).toBe(ours);
  }
});

test('own-address: between two ports of one address the ports tell the directions apart', () => {
  const request = tcpFrame({ ...client, src: '127.0.0.1', dst: '127.0.0.1' }, { flags: 'PA', payload: 10 });
  const answer = tcpFrame(
    { src: '127.0.0.1', dst: '127.0.0.1', srcPort: 80, dstPort: 40_001 },
    { flags: 'PA', payload: 30 },
  );
  const [flow, ...more] = metered('fixed', timed(request, answer, request));
  expect(more).toEqual([]);
  // By address alone, as they go: each packet's source is the flow's source.
  const theirs = { 'Total Fwd Packets': 3, 'Total Backward Packets': 0, 'Total Length of Fwd Packets': 50 };
  const ours = { 'Total Fwd Packets': 2, 'Total Backward Packets': 1, 'Total Length of Fwd Packets': 20 };
  expect(flow?.features).toMatchObject(ours);
  expect(flow!.features['Total Fwd Packets']! + flow!.features['Total Backward Packets']!).toBe(
    theirs['Total Fwd Packets'],
  );
  expect(flow!.features['Total Length of Fwd Packets']! + flow!.features['Total Length of Bwd Packets']!).toBe(
    theirs['Total Length of Fwd Packets'],
  );
});

test('misread-arp: ARP and EAPOL are no flows', () => {
  const arp = arpFrame();
  const eapol = ethernetFrame(0x888e, Uint8Array.of(1, 3, 0, 117, 2, 1, 0x38, 0));
  // They take some of these frames for an IPv4 header that begins where the frame does.
  const theirs = [arp, eapol].map((frame) => [frame.subarray(12, 16).join('.'), frame.subarray(16, 20).join('.')]);
  expect(theirs).toEqual([
    ['8.6.0.1', '8.0.6.4'],
    ['136.142.1.3', '0.117.2.1'],
  ]);
  for (const profile of ['fixed', 'improved2022', 'cic2017'] as const) {
    const meter = new RecordingMeter({ profile, endings: 'reference' }).add(...timed(arp, arp, eapol, eapol));
    expect(meter.finish()).toEqual([]);
    expect(meter.meter.counters).toMatchObject({ packets: 4, notIp: 4, undecodable: 0 });
  }
});

test('ipv6: IPv6 is metered by the same formulas', () => {
  const six = udpFrame({ ...client, src: '2001:db8::1', dst: '2001:db8::2' }, { payload: 40 });
  const theirs = 0; // its reading is switched off
  const flows = metered('fixed', timed(six, six));
  expect(flows.length - theirs).toBe(1);
  expect(flows[0]).toMatchObject({
    src: '2001:db8::1',
    protocol: 17,
    features: { 'Total Fwd Packets': 2, 'Total Length of Fwd Packets': 80, 'Fwd Header Length': 16 },
  });
});

test('other-links: what was not captured on Ethernet is metered too', () => {
  const packet = tcpFrame(client, { flags: 'PA', payload: 7, pad: false }).subarray(14);
  const cooked = Uint8Array.of(0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 8, 0, ...packet);
  const loopback = Uint8Array.of(2, 0, 0, 0, ...packet);
  const theirs = 0; // nothing is extracted
  for (const [linkType, frame] of [
    [101, packet],
    [113, cooked],
    [0, loopback],
  ] as const) {
    const flows = metered('fixed', [{ timeUs: startUs, frame, linkType }]);
    expect(flows.length - theirs).toBe(1);
    expect(flows[0]?.features).toMatchObject({ 'Total Length of Fwd Packets': 7 });
  }
});

test('l2tp: a tunnel is one flow between its ends; what it carries is not looked at', () => {
  const carried = tcpFrame(client, { flags: 'PA', payload: 7, pad: false }).subarray(14);
  const header = Uint8Array.of(0x40, 2, 0, 12 + carried.length, 0, 1, 0, 1, 0xff, 3, 0, 0x21);
  const tunnel = { src: '198.51.100.1', dst: '198.51.100.2', srcPort: 1701, dstPort: 1701 };
  const frame = udpFrame(tunnel, { payload: Uint8Array.of(...header, ...carried) });
  const theirs = { src: client.src, dst: client.dst, protocol: 6, dstPort: 80 }; // they look inside
  const [flow] = metered('fixed', timed(frame));
  expect(flow).not.toMatchObject(theirs);
  expect(flow).toMatchObject({
    src: '198.51.100.1',
    protocol: 17,
    dstPort: 1701,
    features: { 'Total Length of Fwd Packets': header.length + carried.length },
  });
});

test('claimed-length: an IP header that claims more than its frame holds is not believed', () => {
  const frame = tcpFrame(client, { flags: 'PA', payload: 100, ipLength: 60_000 });
  const theirs = 60_000 - 20 - 20; // total length less both headers
  const [flow] = metered('fixed', timed(frame));
  expect(flow?.features['Total Length of Fwd Packets']).toBe(100);
  expect(flow?.features['Total Length of Fwd Packets']).not.toBe(theirs);
});

test('bounded-table: a full table ends the oldest half-open flow early, and counts it', () => {
  const frames = Array.from({ length: 40 }, (_, host) => udpFrame({ ...client, src: `10.0.1.${host}` }));
  const capture = timed(...frames, ...frames); // each flow is continued once all have begun
  const theirs = 40; // they keep every flow until the input ends
  expect(metered('fixed', capture)).toHaveLength(theirs);
  const meter = new RecordingMeter({ profile: 'fixed', endings: 'reference', capacity: 16 }).add(...capture);
  expect(meter.finish()).toHaveLength(80);
  expect(meter.meter.counters.evicted).toBe(64);
});

test('steady-padding: cic2017: padding counts in every run and wherever the frame was captured', () => {
  const padded = tcpFrame(client, { flags: 'A' });
  const own = tcpFrame(client, { flags: 'A', pad: false }); // captured before the adapter filled it up
  expect([padded.length, own.length]).toEqual([60, 54]);
  const theirs = [padded, own].map((frame) => frame.length - 54); // or 0 for both, from run to run
  expect(theirs).toEqual([6, 0]);
  const [flow] = metered('cic2017', timed(padded, own));
  expect(flow?.features).toMatchObject({ 'Fwd Packet Length Min': 6, 'Fwd Packet Length Max': 6 });
});

test('what looks odd and is kept: no forward window or header minimum where the first packet went backward', () => {
  const synAck = tcpFrame(
    { ...client, src: client.dst, dst: client.src, srcPort: 80, dstPort: 40_001 },
    { flags: 'SA' },
  );
  const [flow] = metered('fixed', timed(synAck, tcpFrame(client, { flags: 'A' })));
  expect(flow?.features).toMatchObject({ 'Destination Port': 80, Init_Win_bytes_forward: 0, min_seg_size_forward: 0 });
});

test('docs/flow-meter.md lists these departures and no others', () => {
  const text = readFileSync(new URL('../../../docs/flow-meter.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Deliberate departures'));
  const rows = section.slice(0, section.indexOf('\n## ', 1)).matchAll(/^\| `([a-z0-9-]+)`/gm);
  const tests = readFileSync(import.meta.filename, 'utf8').matchAll(/^test\('([a-z0-9-]+): /gm);
  const ids = [...rows].map(([, id]) => id);
  expect(ids.length).toBeGreaterThan(0);
  expect(ids).toEqual([...tests].map(([, id]) => id));
});
