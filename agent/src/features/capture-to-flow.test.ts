/**
 * From the bytes of a capture file to the flow: every link and header that is decoded, and what is not decoded, which is
 * counted by name or metered as what it is on the outside, and never taken for something else.
 */
import { describe, expect, test } from 'vitest';
import type { FlowCounters } from '../flow/flow-counters.ts';
import { pcapBytes } from '../testing/capture-builder.ts';
import { chunksInPieces } from '../testing/capture-forms.ts';
import { flowsOf, type MeteredFlow } from '../testing/meter-frames.ts';
import { ethernetFrame, icmpFrame, ipFrame, tcpFrame, udpFrame } from '../testing/packet-builder.ts';
import { FlowMeter, type FlowMeterOptions } from './flow-meter.ts';

const startUs = 1_700_000_000_000_000;
const client = { src: '10.0.0.2', dst: '203.0.113.5', srcPort: 40_001, dstPort: 80 };
const server = { src: client.dst, dst: client.src, srcPort: client.dstPort, dstPort: client.srcPort };
const client6 = { ...client, src: '2001:db8::2', dst: '2001:db8::5' };

/** As a file that is read 50 bytes at a time. */
function flowsOfFile(
  frames: readonly Uint8Array[],
  file: { linkType?: number; timesUs?: readonly number[]; endings?: FlowMeterOptions['endings'] } = {},
): { flows: MeteredFlow[]; counters: FlowCounters } {
  const { linkType = 1, timesUs = [], endings = 'reference' } = file;
  const timed = frames.map((frame, index) => ({ timeUs: timesUs[index] ?? startUs + 1000 * index, frame }));
  const flows: MeteredFlow[] = [];
  const meter = FlowMeter.create({ profile: 'fixed', endings }, (batch) => flows.push(...flowsOf(batch)));
  for (const chunk of chunksInPieces(pcapBytes(timed, { linkType }), [50])) meter.add(chunk);
  meter.finish();
  return { flows, counters: meter.counters };
}

const request = { flags: 'PA', payload: 7, pad: false };
const response = { flags: 'PA', payload: 70, pad: false };
const packets = [tcpFrame(client, request), tcpFrame(server, response)].map((frame) => frame.subarray(14));
const packets6 = [
  tcpFrame(client6, request),
  tcpFrame({ ...server, src: client6.dst, dst: client6.src }, response),
].map((frame) => frame.subarray(14));

const behind =
  (...header: readonly number[]) =>
  (packet: Uint8Array): Uint8Array =>
    Uint8Array.of(...header, ...packet);
const macs = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] as const;
const pppoe =
  (...before: readonly number[]) =>
  (packet: Uint8Array): Uint8Array =>
    Uint8Array.of(...macs, ...before, 0x88, 0x64, 0x11, 0, 0, 1, 0, packet.length + 2, 0, 0x21, ...packet);
const pppoe6 = (packet: Uint8Array): Uint8Array =>
  Uint8Array.of(...macs, 0x88, 0x64, 0x11, 0, 0, 1, 0, packet.length + 2, 0, 0x57, ...packet);

const exchange = {
  srcPort: 40_001,
  dstPort: 80,
  protocol: 6,
  features: {
    'Flow Duration': 1000,
    'Total Length of Fwd Packets': 7,
    'Total Length of Bwd Packets': 70,
    'Fwd Header Length': 20,
    'Bwd Header Length': 20,
    'PSH Flag Count': 2,
  },
};

describe('the same exchange is the same flow on every link', () => {
  test.each([
    ['Ethernet', 1, behind(...macs, 8, 0)],
    ['802.1Q', 1, behind(...macs, 0x81, 0, 0, 100, 8, 0)],
    ['QinQ', 1, behind(...macs, 0x88, 0xa8, 0, 100, 0x81, 0, 0, 200, 8, 0)],
    ['QinQ of older switches', 1, behind(...macs, 0x91, 0, 0, 100, 0x81, 0, 0, 200, 8, 0)],
    ['PPPoE', 1, pppoe()],
    ['PPPoE in a VLAN', 1, pppoe(0x81, 0, 0, 7)],
    ['Linux cooked', 113, behind(0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 8, 0)],
    ['Linux cooked with a VLAN', 113, behind(0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 0x81, 0, 0, 100, 8, 0)],
    ['Linux cooked 2', 276, behind(8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0)],
    ['raw IP', 101, behind()],
    ['raw IP of older systems', 12, behind()],
    ['raw IPv4', 228, behind()],
    ['BSD loopback', 0, behind(2, 0, 0, 0)],
    ['BSD loopback of a big-endian host', 0, behind(0, 0, 0, 2)],
    ['OpenBSD loopback', 108, behind(0, 0, 0, 2)],
  ] as const)('%s', (_, linkType, frame) => {
    const { flows, counters } = flowsOfFile(packets.map(frame), { linkType });
    expect(flows).toMatchObject([{ src: client.src, dst: client.dst, ...exchange }]);
    expect(counters).toMatchObject({ packets: 2, undecodable: 0, notIp: 0 });
  });

  test.each([
    ['Ethernet', 1, behind(...macs, 0x86, 0xdd)],
    ['QinQ', 1, behind(...macs, 0x88, 0xa8, 0, 100, 0x81, 0, 0, 200, 0x86, 0xdd)],
    ['PPPoE', 1, pppoe6],
    ['Linux cooked', 113, behind(0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 0x86, 0xdd)],
    ['Linux cooked 2', 276, behind(0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0)],
    ['raw IP', 101, behind()],
    ['raw IPv6', 229, behind()],
    ['loopback of Linux', 0, behind(10, 0, 0, 0)],
    ['loopback of macOS', 0, behind(30, 0, 0, 0)],
    ['OpenBSD loopback', 108, behind(0, 0, 0, 24)],
  ] as const)('IPv6: %s', (_, linkType, frame) => {
    const { flows } = flowsOfFile(packets6.map(frame), { linkType });
    expect(flows).toMatchObject([{ src: client6.src, dst: client6.dst, ...exchange }]);
  });
});

describe('headers between', () => {
  test('IPv6 extension headers are no payload: hop-by-hop, routing, authentication, destination', () => {
    const authentication = Uint8Array.of(0, 4, ...Array.from({ length: 22 }, () => 0)); // in words of 4, less 2
    const extensions = [
      [0, new Uint8Array(8)],
      [43, new Uint8Array(8)],
      [51, authentication],
      [60, Uint8Array.of(0, 1, ...Array.from({ length: 14 }, () => 0))],
    ] as const;
    const { flows } = flowsOfFile([
      tcpFrame(client6, { ...request, extensions }),
      tcpFrame({ ...server, src: client6.dst, dst: client6.src }, response),
    ]);
    expect(flows).toMatchObject([exchange]);
  });

  test('IPv4 options are no payload', () => {
    const { flows } = flowsOfFile([
      tcpFrame(client, { ...request, ipOptions: new Uint8Array(40) }),
      tcpFrame(server, response),
    ]);
    expect(flows).toMatchObject([exchange]);
  });
});

describe('fragments', () => {
  const first = udpFrame(client, { payload: 1472, fragment: 0x2000 });
  const later = udpFrame(client, { payload: 520, fragment: 185 });

  test('the first one has the ports; the others are a flow of protocol 0, as the reference has it', () => {
    const { flows } = flowsOfFile([first, later, later]);
    expect(flows.map(({ protocol, srcPort, features }) => [protocol, srcPort, features['Total Fwd Packets']])).toEqual([
      [17, 40_001, 1],
      [0, 0, 2],
    ]);
    expect(flows[0]?.features['Total Length of Fwd Packets']).toBe(1472);
  });

  test('live, the others keep their protocol, without ports', () => {
    const { flows } = flowsOfFile([first, later], { endings: 'live' });
    expect(flows.map(({ protocol, srcPort }) => [protocol, srcPort])).toEqual([
      [17, 40_001],
      [17, 0],
    ]);
  });

  test('live, those of an ICMP message belong to it: they have no type that could begin another exchange', () => {
    const fragments = [0x2000, 185, 186].map((fragment) =>
      icmpFrame(server, { type: 3, code: 1, payload: 64, fragment }),
    );
    const { flows } = flowsOfFile(fragments, { endings: 'live' });
    expect(flows.map(({ protocol, end, features }) => [protocol, end, features['Total Fwd Packets']])).toEqual([
      [1, 'end_of_input', 3],
    ]);
  });

  test('of IPv6 as of IPv4', () => {
    const header = (offset: number): Uint8Array => Uint8Array.of(0, 0, offset >> 8, offset & 0xff, 0, 0, 0, 1);
    const { flows } = flowsOfFile([
      udpFrame(client6, { payload: 24, extensions: [[44, header(1)]] }),
      udpFrame(client6, { payload: 24, extensions: [[44, header(0x20)]] }),
    ]);
    expect(
      flows.map(({ protocol, srcPort, features }) => [protocol, srcPort, features['Fwd Packet Length Max']]),
    ).toEqual([
      [17, 40_001, 24],
      [0, 0, 0],
    ]);
  });
});

test('a segmentation offload leaves the IP length 0: the frame says how long it is', () => {
  for (const [ends, etherHeader] of [
    [client, 14],
    [client6, 14],
  ] as const) {
    const frame = tcpFrame(ends, { flags: 'PA', payload: 4000, ipLength: 0 });
    const { flows } = flowsOfFile([frame]);
    expect(flows[0]?.features['Total Length of Fwd Packets']).toBe(4000);
    expect(frame.length).toBeGreaterThan(4000 + etherHeader);
  }
});

describe('times that go back', () => {
  const frames = [tcpFrame(client, request), tcpFrame(server, response), tcpFrame(client, request)];
  const timesUs = [startUs + 1000, startUs + 400, startUs + 3000];

  test('reference endings keep them, as the published meters do', () => {
    const { flows } = flowsOfFile(frames, { timesUs });
    expect(flows).toHaveLength(1);
    expect(flows[0]?.features).toMatchObject({ 'Flow Duration': 2000, 'Flow IAT Min': -600, 'Flow IAT Max': 2600 });
  });

  test('live, a late packet counts as simultaneous', () => {
    const { flows } = flowsOfFile(frames, { timesUs, endings: 'live' });
    expect(flows[0]?.features).toMatchObject({ 'Flow Duration': 2000, 'Flow IAT Min': 0, 'Flow IAT Max': 2000 });
  });
});

describe('not decoded', () => {
  const inner = packets[0]!;
  const outer = { src: '198.51.100.1', dst: '198.51.100.2' };

  test.each([
    ['IP in IP', ipFrame(outer, 4, inner, -1), 4],
    ['IPv6 in IPv4', ipFrame(outer, 41, packets6[0]!, -1), 41],
    ['GRE', ipFrame(outer, 47, Uint8Array.of(0, 0, 8, 0, ...inner), -1), 47],
    ['ESP', ipFrame(outer, 50, new Uint8Array(64), -1), 50],
    ['AH in IPv4', ipFrame(outer, 51, new Uint8Array(64), -1), 51],
    ['no next header', ipFrame({ src: client6.src, dst: client6.dst }, 59, new Uint8Array(8), -1), 59],
  ] as const)(
    '%s: one flow of its own protocol number between the outer ends, no ports, no payload',
    (_, frame, protocol) => {
      const expected = {
        srcPort: 0,
        dstPort: 0,
        features: { 'Total Fwd Packets': 1, 'Total Length of Fwd Packets': 0 },
      };
      const { flows, counters } = flowsOfFile([frame], { endings: 'live' });
      expect(flows).toMatchObject([{ ...expected, protocol }]);
      expect(flows[0]?.src).not.toBe(client.src);
      expect(counters).toMatchObject({ undecodable: 0, notIp: 0 });
      expect(flowsOfFile([frame]).flows).toMatchObject([{ ...expected, protocol: 0 }]);
    },
  );

  test.each([
    ['VXLAN', 4789, [8, 0, 0, 0, 0, 0, 7, 0]],
    ['Geneve', 6081, [0, 0, 0x65, 0x58, 0, 0, 7, 0]],
    ['Teredo', 3544, []],
  ] as const)('%s: one UDP flow between the tunnel ends', (_, dstPort, header) => {
    const payload = Uint8Array.of(...header, ...macs, 8, 0, ...inner);
    const { flows } = flowsOfFile([udpFrame({ ...outer, srcPort: 5000, dstPort }, { payload })]);
    expect(flows).toMatchObject([
      { src: outer.src, protocol: 17, dstPort, features: { 'Total Length of Fwd Packets': payload.length } },
    ]);
  });

  test.each([
    ['MPLS', ethernetFrame(0x8847, Uint8Array.of(0, 1, 1, 64, ...inner))],
    ['802.2 with SNAP', ethernetFrame(8 + inner.length, Uint8Array.of(0xaa, 0xaa, 3, 0, 0, 0, 8, 0, ...inner))],
    ['spanning tree', ethernetFrame(0x0026, Uint8Array.of(0x42, 0x42, 3, ...new Uint8Array(35)))],
    ['PPPoE discovery', ethernetFrame(0x8863, Uint8Array.of(0x11, 9, 0, 0, 0, 0, ...new Uint8Array(40)))],
    ['PPP control in PPPoE', ethernetFrame(0x8864, Uint8Array.of(0x11, 0, 0, 1, 0, 6, 0xc0, 0x21, 1, 1, 0, 4))],
    ['LLDP', ethernetFrame(0x88cc, new Uint8Array(46))],
    ['Profinet', ethernetFrame(0x8892, new Uint8Array(46))],
  ] as const)('%s is counted as not IP', (_, frame) => {
    const { flows, counters } = flowsOfFile([frame, frame]);
    expect(flows).toEqual([]);
    expect(counters).toMatchObject({ packets: 2, notIp: 2, undecodable: 0 });
  });

  test.each([
    ['PPP', 9, Uint8Array.of(0xff, 3, 0, 0x21, ...inner)],
    ['802.11', 105, Uint8Array.of(8, 1, ...new Uint8Array(22), 0xaa, 0xaa, 3, 0, 0, 0, 8, 0, ...inner)],
    ['802.11 with radiotap', 127, Uint8Array.of(0, 0, 8, 0, 0, 0, 0, 0, 8, 1, ...new Uint8Array(30), ...inner)],
    ['IEEE 802.15.4', 195, new Uint8Array(40)],
    ['USB', 220, new Uint8Array(80)],
  ] as const)('%s is counted as a link that is not supported', (_, linkType, frame) => {
    const { flows, counters } = flowsOfFile([frame, frame], { linkType });
    expect(flows).toEqual([]);
    expect(counters).toMatchObject({ packets: 2, notIp: 0, undecodableBy: { unsupportedLink: 2 } });
  });
});
