import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  arpFrame,
  ethernetFrame,
  icmpFrame,
  ipFrame,
  maximumSegmentSize,
  tcpFrame,
  udpFrame,
} from '../testing/packet-builder.ts';
import { decodePacket } from './decode-packet.ts';
import { createPacketFields, field, fieldCount, outcome, type Outcome, type PacketFields } from './packet-fields.ts';

const ends = { src: '10.0.0.2', dst: '192.168.1.9', srcPort: 40_001, dstPort: 443 };
const ends6 = { src: '2001:db8::1', dst: 'fe80::2', srcPort: 40_001, dstPort: 443 };

/** Decode a frame that lies in the middle of other bytes. */
function decode(frame: Uint8Array, link = 1, wireLength = frame.length): { result: Outcome; fields: PacketFields } {
  const bytes = new Uint8Array(frame.length + 20).fill(0x5a);
  bytes.set(frame, 10);
  const fields = createPacketFields();
  const view = new DataView(bytes.buffer);
  const result = decodePacket(bytes, view, 10, frame.length, wireLength, link, fields, 0);
  return { result, fields };
}

function summary(frame: Uint8Array, link = 1, wireLength = frame.length): Record<string, number> {
  const { result, fields } = decode(frame, link, wireLength);
  return {
    result,
    family: fields[field.family]!,
    protocol: fields[field.protocol]!,
    srcPort: fields[field.srcPort]!,
    dstPort: fields[field.dstPort]!,
    header: fields[field.headerBytes]!,
    payload: fields[field.payloadBytes]!,
  };
}

const https = {
  result: outcome.decoded,
  family: 4,
  protocol: 6,
  srcPort: 40_001,
  dstPort: 443,
  header: 20,
  payload: 7,
};
const data = { flags: 'PA', payload: 7 };
const withoutEthernet = (frame: Uint8Array): Uint8Array => frame.subarray(14);
const plain = tcpFrame(ends, { ...data, pad: false });
const packet = withoutEthernet(plain);
const packet6 = withoutEthernet(tcpFrame(ends6, { ...data, pad: false }));

test('a TCP segment gives addresses, ports, flags, window, lengths and hardware addresses', () => {
  const { result, fields } = decode(
    tcpFrame(ends, { flags: 'SEC', window: 64_240, options: maximumSegmentSize, srcMac: '02:00:00:00:00:07' }),
  );
  expect(result).toBe(outcome.decoded);
  expect(fields[field.srcAddress + 3]).toBe(0x0a000002);
  expect(fields[field.dstAddress + 3]! >>> 0).toBe(0xc0a80109);
  expect([fields[field.flags], fields[field.window]]).toEqual([0xc2, 64_240]);
  expect([fields[field.headerBytes], fields[field.payloadBytes]]).toEqual([24, 0]);
  expect(fields[field.paddedPayloadBytes]).toBe(2);
  expect([fields[field.dstMacOffset], fields[field.srcMacOffset]]).toEqual([10, 16]);
});

describe('the same segment on every kind of link', () => {
  const sll = new Uint8Array([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 8, 0, ...packet]);
  const sll2 = new Uint8Array([8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, ...packet]);
  const pppoe = ethernetFrame(0x8864, new Uint8Array([0x11, 0, 0, 1, 0, packet.length + 2, 0, 0x21, ...packet]));
  test.each([
    ['Ethernet', 1, plain],
    ['VLAN', 1, tcpFrame(ends, { ...data, vlans: [100] })],
    ['QinQ', 1, tcpFrame(ends, { ...data, vlans: [100, 200] })],
    ['PPPoE', 1, pppoe],
    ['Linux cooked', 113, sll],
    ['Linux cooked 2', 276, sll2],
    ['raw', 101, packet],
    ['raw IPv4', 228, packet],
    ['loopback, little endian', 0, new Uint8Array([2, 0, 0, 0, ...packet])],
    ['loopback, big endian', 108, new Uint8Array([0, 0, 0, 2, ...packet])],
    ['IPv4 options', 1, tcpFrame(ends, { ...data, ipOptions: new Uint8Array(8) })],
  ] as const)('%s', (_, link, frame) => {
    expect(summary(frame, link)).toEqual(https);
  });
  test.each([
    ['Ethernet', 1, tcpFrame(ends6, data)],
    ['raw', 101, packet6],
    ['raw IPv6', 229, packet6],
    ['loopback of a BSD', 0, new Uint8Array([30, 0, 0, 0, ...packet6])],
    [
      'extension headers',
      1,
      tcpFrame(ends6, {
        ...data,
        extensions: [
          [0, new Uint8Array(8)],
          [60, Uint8Array.of(0, 1, ...Array.from({ length: 14 }, () => 0))],
        ],
      }),
    ],
  ] as const)('IPv6: %s', (_, link, frame) => {
    expect(summary(frame, link)).toEqual({ ...https, family: 6 });
  });
  test.each([
    ['cooked', 113, sll, 16],
    ['cooked 2', 276, sll2, 22],
  ] as const)('the sender of a Linux %s frame is known, its receiver is not', (_, link, frame, at) => {
    const { fields } = decode(frame, link);
    expect([fields[field.srcMacOffset], fields[field.dstMacOffset]]).toEqual([at, -1]);
  });
});

test('lengths come from the IP header, not from what was captured', () => {
  const frame = tcpFrame(ends, { flags: 'A', payload: 1400 });
  expect(summary(frame.subarray(0, 96), 1, frame.length)['payload']).toBe(1400);
  expect(summary(udpFrame(ends, { payload: 3 }))['payload']).toBe(3);
});

test('a segmentation offload leaves the IP length 0: the frame on the wire stands in', () => {
  const frame = tcpFrame(ends, { flags: 'A', payload: 1400, ipLength: 0 });
  expect(summary(frame.subarray(0, 96), 1, frame.length)['payload']).toBe(1400);
});

test('an IP header cannot claim more than the frame holds', () => {
  expect(summary(tcpFrame(ends, { flags: 'A', payload: 100, ipLength: 60_000 }))['payload']).toBe(100);
});

test('an IP length below the transport header leaves no payload, padded or not', () => {
  const chain: [number, Uint8Array][] = [
    [0, new Uint8Array(8)],
    [60, new Uint8Array(8)],
  ];
  const { result, fields } = decode(tcpFrame(ends6, { flags: 'A', extensions: chain, ipLength: 16 }));
  expect(result).toBe(outcome.decoded);
  expect([fields[field.payloadBytes], fields[field.paddedPayloadBytes]]).toEqual([0, 0]);
});

test.each([
  ['hop-by-hop', 0],
  ['routing', 43],
  ['destination', 60],
  ['mobility', 135],
  ['HIP', 139],
  ['shim6', 140],
] as const)('a %s header stands before the transport header', (_, number) => {
  const frame = udpFrame(ends6, { payload: 3, extensions: [[number, new Uint8Array(8)]] });
  expect(summary(frame)).toMatchObject({ result: outcome.decoded, protocol: 17, dstPort: 443, payload: 3 });
});

test('eight extension headers are followed, and nine are too many', () => {
  const behind = (count: number): Uint8Array =>
    udpFrame(ends6, { payload: 3, extensions: Array.from({ length: count }, () => [60, new Uint8Array(8)] as const) });
  expect(summary(behind(8))).toMatchObject({ result: outcome.decoded, protocol: 17, dstPort: 443, payload: 3 });
  expect(decode(behind(9)).result).toBe(outcome.malformed);
});

test('a later fragment has no ports, a first one has', () => {
  const later = decode(udpFrame(ends, { payload: 40, fragment: 0x2005 }));
  expect(later.fields[field.laterFragment]).toBe(1);
  expect(summary(udpFrame(ends, { payload: 40, fragment: 0x2005 }))).toMatchObject({
    srcPort: 0,
    header: 0,
    payload: 0,
  });
  expect(summary(udpFrame(ends, { payload: 40, fragment: 0x2000 }))).toMatchObject({ srcPort: 40_001, payload: 40 });
  const fragment6 = Uint8Array.of(0, 0, 0, 8, 0, 0, 0, 1);
  expect(decode(udpFrame(ends6, { extensions: [[44, fragment6]] })).fields[field.laterFragment]).toBe(1);
});

test('ICMP has a type and a code, SCTP ports, IGMP neither', () => {
  const icmp = decode(icmpFrame(ends, { type: 3, code: 1, payload: 20 })).fields;
  expect([icmp[field.icmpType], icmp[field.icmpCode], icmp[field.payloadBytes]]).toEqual([3, 1, 0]);
  expect(summary(icmpFrame(ends6, { type: 128 }))).toMatchObject({ protocol: 58, family: 6 });
  const sctp = ipFrame(ends, 132, Uint8Array.of(0, 7, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0), -1);
  expect(summary(sctp)).toMatchObject({ protocol: 132, srcPort: 7, dstPort: 9, header: 0, payload: 0 });
  expect(summary(ipFrame(ends, 2, new Uint8Array(8), -1))).toMatchObject({ result: outcome.decoded, protocol: 2 });
});

test.each([
  ['ARP', arpFrame(), 1, outcome.notIp],
  ['802.2', ethernetFrame(0x0026, new Uint8Array(38)), 1, outcome.notIp],
  ['a frame without its header', plain.subarray(0, 13), 1, outcome.truncated],
  ['a cut IP header', plain.subarray(0, 33), 1, outcome.truncated],
  ['a cut TCP header', plain.subarray(0, 49), 1, outcome.truncated],
  ['a cut IPv6 header', packet6.subarray(0, 39), 101, outcome.truncated],
  ['a wrong version', ethernetFrame(0x0800, packet6), 1, outcome.malformed],
  ['a length below the header', tcpFrame(ends, { ...data, ipLength: 19 }), 1, outcome.malformed],
  ['too many tags', tcpFrame(ends, { ...data, vlans: [1, 2, 3, 4, 5] }), 1, outcome.malformed],
  ['an unknown link', plain, 147, outcome.unsupportedLink],
] as const)('%s is counted, not decoded', (_, frame, link, expected) => {
  expect(decode(frame, link).result).toBe(expected);
});

test('whatever the bytes are, decoding returns an outcome and stays within its fields', () => {
  const links = fc.constantFrom(0, 1, 12, 101, 108, 113, 228, 229, 276, 9999);
  const seeds = [plain, packet, packet6, tcpFrame(ends6, data), icmpFrame(ends, { type: 8 })];
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 10 }), fc.nat(80))
    .map(([seed, changes, cut]) => {
      const bytes = Uint8Array.from(seed);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes.subarray(0, Math.max(0, bytes.length - cut));
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 120 })), links, fc.nat(70_000), (frame, link, wire) => {
      const { result, fields } = decode(frame, link, wire);
      expect(Object.values(outcome)).toContain(result);
      expect(fields).toHaveLength(fieldCount);
      if (result === outcome.decoded) {
        expect(fields[field.payloadBytes]).toBeGreaterThanOrEqual(0);
        expect(fields[field.payloadBytes]).toBeLessThanOrEqual(65_535 + 70_000);
      }
    }),
    { numRuns: 2000 },
  );
});
