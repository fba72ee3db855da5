import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zstdCompressSync } from 'node:zlib';
import { featureCount } from '@picket/shared/features/feature-schema';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type FlowPack,
  classOfRow,
  decodeFlowPack,
  encodeFlowPack,
  nothing,
  readFlowPackHeader,
  unknownDirection,
} from './flow-pack.ts';
import { isSame } from '../../range/repack.ts';

const rows = 3;
const beganUs = 1_795_247_729_851_518;
const pack: FlowPack = {
  header: {
    format: 3,
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

test('any bits of a float32 come back: payloads of NaN, -0, infinities, denormals', () => {
  const special = [
    0x7fc00001, 0xffc0dead, 0x7f800001, 0x80000000, 0x7f800000, 0xff800000, 1, 0x80000001, 0x7f7fffff, 0,
  ];
  const anyBits = fc.oneof(fc.constantFrom(...special), fc.nat(0xffff), fc.integer({ min: 0, max: 0xffffffff }));
  const size = rows * featureCount;
  const anyFeatures = fc.oneof(
    fc
      .array(anyBits, { minLength: size, maxLength: size })
      .map((bits) => new Float32Array(Uint32Array.from(bits).buffer)),
    fc.array(fc.nat(4_294_967_295), { minLength: size, maxLength: size }).map((all) => Float32Array.from(all)),
  );
  const anyNumbers = fc.uint32Array({ minLength: rows, maxLength: rows });
  const anyTimes = fc.array(fc.maxSafeNat(), { minLength: rows, maxLength: rows }).map((all) => Float64Array.from(all));
  fc.assert(
    fc.property(anyFeatures, anyNumbers, anyNumbers, anyTimes, anyTimes, (features, flows, keys, startUs, lastUs) => {
      const flowNumber = flows.map((flow) => (flow % 2 === 0 ? 7 : flow));
      const given = {
        ...pack,
        features,
        flowNumber,
        startUs,
        lastUs,
        device: Uint16Array.from(keys),
        peer: Uint16Array.from(keys),
      };
      expect(isSame(decodeFlowPack(encodeFlowPack(given)), given)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('packs of the repository hold the same after another round', () => {
  for (const name of ['first/beacon-home-101', 'test/test-11-attacks-1-wan']) {
    const path = fileURLToPath(new URL(`../../range/flows/${name}.flows`, import.meta.url));
    const given = decodeFlowPack(readFileSync(path), path);
    expect(isSame(decodeFlowPack(encodeFlowPack(given)), given)).toBe(true);
  }
});

test('a pack that says it holds more rows than fit is refused before anything is made for them', () => {
  const header = zstdCompressSync(JSON.stringify({ ...pack.header, rows: 1e12 }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const bytes = Buffer.concat([Buffer.from('PKFLOWS1'), length, header]);
  expect(() => decodeFlowPack(bytes, 'x')).toThrow('x says it holds 1000000000000 rows: more than fit');
});

test('a body of any bytes of the right length is read as something, and one of another length is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 78 + rows * 364, maxLength: 78 + rows * 364 }), (noise) => {
      const bytes = encodeFlowPack(pack);
      const head = bytes.subarray(0, 12 + bytes.readUInt32LE(8));
      expect(decodeFlowPack(Buffer.concat([head, zstdCompressSync(noise)])).features).toHaveLength(rows * featureCount);
      const short = zstdCompressSync(noise.subarray(1));
      expect(() => decodeFlowPack(Buffer.concat([head, short]), 'x')).toThrow('x is damaged');
    }),
    { numRuns: 100 },
  );
});

test('a time that is no whole microsecond is not packed', () => {
  expect(() => encodeFlowPack({ ...pack, lastUs: Float64Array.of(1, 2.5, 3) })).toThrow(RangeError);
});

/** As formats 1 and 2 were written: every column as it is, in byte planes. */
function plainPack(format: 1 | 2): Buffer {
  const column = (feature: number): Float32Array =>
    Float32Array.from({ length: rows }, (_, row) => pack.features[row * featureCount + feature]!);
  const steps = (times: Float64Array): Float64Array =>
    times.map((time, row) => time - (row === 0 ? beganUs : times[row - 1]!));
  const { flowNumber, reportNumber, device, otherDevice, peer, port, protocol, episode, direction } = pack;
  const columns = [
    ...Array.from({ length: featureCount }, (_, feature) => column(feature)),
    steps(pack.startUs),
    steps(pack.lastUs),
    flowNumber,
    reportNumber,
    device,
    otherDevice,
    peer,
    port,
    protocol,
    episode,
    ...(format === 2 ? [direction] : []),
  ];
  const planes = columns.flatMap(({ buffer, BYTES_PER_ELEMENT: width }) =>
    Array.from({ length: width }, (_, plane) => new Uint8Array(buffer).filter((_byte, at) => at % width === plane)),
  );
  const header = zstdCompressSync(JSON.stringify({ ...pack.header, format }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([Buffer.from('PKFLOWS1'), length, header, zstdCompressSync(Buffer.concat(planes))]);
}

test('packs of formats 1 and 2 are read; the first did not know directions', () => {
  expect(decodeFlowPack(plainPack(2))).toEqual({ ...pack, header: { ...pack.header, format: 2 } });
  const direction = new Uint8Array(rows).fill(unknownDirection);
  expect(decodeFlowPack(plainPack(1))).toEqual({ ...pack, direction, header: { ...pack.header, format: 1 } });
  expect(decodeFlowPack(encodeFlowPack(decodeFlowPack(plainPack(2))))).toEqual(pack);
});
