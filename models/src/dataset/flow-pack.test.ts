import { featureCount } from '@picket/shared/features/feature-schema';
import { expect, test } from 'vitest';
import { type FlowPack, classOfRow, decodeFlowPack, encodeFlowPack, nothing, readFlowPackHeader } from './flow-pack.ts';

const rows = 3;
const beganUs = 1_795_247_729_851_518;
const pack: FlowPack = {
  header: {
    format: 2,
    name: 'scan-farm-7',
    site: 'farm',
    seed: 7,
    part: 'train',
    kind: 'attack',
    view: 'lan',
    profile: 'fixed',
    lan_prefixes: ['192.168.9.0/24'],
    from_us: beganUs,
    to_us: beganUs + 9_000_000,
    capture_sha256: 'a'.repeat(64),
    rows,
    dropped_rows: 0,
    addresses: ['192.168.9.2', '192.0.2.1', '192.168.9.3'],
    episodes: [
      {
        class: 'port_scan',
        tool: 'nmap',
        step: 'nmap -sS',
        from: '192.0.2.1',
        to: '192.168.9.2',
        from_us: beganUs,
        to_us: beganUs + 5_000_000,
      },
    ],
  },
  features: Float32Array.from({ length: rows * featureCount }, (_, index) => Math.fround(index * 1.7 - 40)),
  startUs: Float64Array.of(beganUs + 5, beganUs + 1, beganUs + 4_000_000),
  lastUs: Float64Array.of(beganUs + 6, beganUs + 900_000, beganUs + 5_000_001),
  flowNumber: Uint32Array.of(1, 0, 4_000_000_000),
  reportNumber: Uint16Array.of(0, 1, 0),
  device: Uint16Array.of(0, 2, 0),
  otherDevice: Uint16Array.of(nothing, 0, nothing),
  peer: Uint16Array.of(1, 0, 1),
  port: Uint16Array.of(22, 1883, 65_535),
  protocol: Uint8Array.of(6, 17, 1),
  episode: Uint16Array.of(0, nothing, 0),
  direction: Uint8Array.of(1, 2, 255),
};

test('what is packed comes back bit for bit, times to the microsecond', () => {
  const bytes = encodeFlowPack(pack);
  expect(decodeFlowPack(bytes)).toEqual(pack);
  expect(readFlowPackHeader(bytes)).toEqual(pack.header);
  expect([0, 1, 2].map((row) => classOfRow(pack, row))).toEqual(['port_scan', 'benign', 'port_scan']);
});

test('a pack that is cut, damaged or something else is refused by name', () => {
  const bytes = encodeFlowPack(pack);
  expect(() => decodeFlowPack(Buffer.from('a,b,c\n1,2,3\n4,5,6'), 'x.csv')).toThrow('x.csv is no pack of flows');
  expect(() => decodeFlowPack(bytes.subarray(0, bytes.length - 9), 'x')).toThrow(/x is damaged/);
  expect(() => decodeFlowPack(bytes.subarray(0, 60), 'x')).toThrow(/header/);
});

test('a capture without a single flow is a pack too', () => {
  const empty = {
    ...pack,
    header: { ...pack.header, rows: 0 },
    features: new Float32Array(0),
    startUs: new Float64Array(0),
    lastUs: new Float64Array(0),
    flowNumber: new Uint32Array(0),
    reportNumber: new Uint16Array(0),
    device: new Uint16Array(0),
    otherDevice: new Uint16Array(0),
    peer: new Uint16Array(0),
    port: new Uint16Array(0),
    protocol: new Uint8Array(0),
    episode: new Uint16Array(0),
    direction: new Uint8Array(0),
  };
  expect(decodeFlowPack(encodeFlowPack(empty))).toEqual(empty);
});
