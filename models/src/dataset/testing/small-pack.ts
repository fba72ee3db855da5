/** Three flows, packed by hand as well: damaged, of older formats, or with anything in the header. */
import { zstdCompressSync } from 'node:zlib';
import { featureCount } from '@picket/shared/features/feature-schema';
import { type FlowPack, nothing } from '../flow-pack.ts';

const rows = 3;
const beganUs = 1_795_247_729_851_518;
export const smallPack: FlowPack = {
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

/** A file with this header and these columns, whatever they are. */
export function packBytes(header: unknown, columns: Uint8Array): Buffer {
  const packed = zstdCompressSync(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(packed.length);
  return Buffer.concat([Buffer.from('PKFLOWS1'), length, packed, zstdCompressSync(columns)]);
}

/** As formats 1 and 2 were written: every column as it is, in byte planes. */
export function plainPack(format: 1 | 2, pack = smallPack): Buffer {
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
  return packBytes({ ...pack.header, format }, Buffer.concat(planes));
}
