/**
 * Labelled flows of one capture in one small file, so that training needs neither root nor hours of capture. A pack
 * keeps what windows are made of: every flow and report in the order in which the agent handed it over, whose it was,
 * and which attack made it. Columns are delta-coded, split into byte planes and compressed with zstd.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { featureCount } from '@picket/shared/features/feature-schema';
import { TrafficClass } from '@picket/shared/features/traffic-classes';
import { z } from 'zod';

/** One run of one attack tool: what recall per episode is counted on. */
export const PackedEpisode = z.strictObject({
  class: TrafficClass.exclude(['benign']),
  /** The program: `nmap`, `hydra`, `own beacon`. */
  tool: z.string(),
  /** Tool and setting, for people. */
  step: z.string(),
  /** Addresses that it came from and that it meant; empty: many. */
  from: z.string(),
  to: z.string(),
  from_us: z.int(),
  to_us: z.int(),
});
export type PackedEpisode = z.infer<typeof PackedEpisode>;

export const FlowPackHeader = z.strictObject({
  /** 1 did not know directions. */
  format: z.union([z.literal(1), z.literal(2)]),
  name: z.string(),
  /** What is held out together. */
  site: z.string(),
  seed: z.int(),
  part: z.enum(['train', 'validation', 'test']),
  /** `life`: no attack at all, for false alarms per gateway and day. */
  kind: z.enum(['attack', 'life']),
  /** Where the gateway listened. Behind address translation `wan` sees one device only: the gateway's own address. */
  view: z.enum(['lan', 'wan']),
  /** The feature profile of the values, which are as the agent gave them: not yet normalised. */
  profile: z.literal('fixed'),
  lan_prefixes: z.array(z.string()),
  from_us: z.int(),
  to_us: z.int(),
  capture_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  rows: z.int().nonnegative(),
  /** Rows left out of the middle of attacks that make tens of thousands. */
  dropped_rows: z.int().nonnegative(),
  /** Addresses that rows point to by number: devices and everybody else alike. */
  addresses: z.array(z.string()).max(65_535),
  episodes: z.array(PackedEpisode).max(65_534),
});
export type FlowPackHeader = z.infer<typeof FlowPackHeader>;

/** No second device, no episode: the largest number of 16 bits. */
export const nothing = 65_535;

export interface FlowPack {
  readonly header: FlowPackHeader;
  /** rows × 78, not normalised; a feature that was no finite number is 0. */
  readonly features: Float32Array<ArrayBuffer>;
  /** First packet of the flow and newest packet of this row, microseconds since 1970. Rows stand in the agent's order. */
  readonly startUs: Float64Array<ArrayBuffer>;
  readonly lastUs: Float64Array<ArrayBuffer>;
  /** A report replaces the slot of the same flow number in the window. */
  readonly flowNumber: Uint32Array<ArrayBuffer>;
  readonly reportNumber: Uint16Array<ArrayBuffer>;
  /** The device whose window gets the row, as a number into `header.addresses`. */
  readonly device: Uint16Array<ArrayBuffer>;
  /** Where both ends are inside: the other one, whose window gets the row too; else `nothing`. */
  readonly otherDevice: Uint16Array<ArrayBuffer>;
  /** The end that is not `device`. Its window per peer, where one is kept, gets the row as well. */
  readonly peer: Uint16Array<ArrayBuffer>;
  /** Which way the flow went, seen from `device`: a number into `directions`, or `unknownDirection`. */
  readonly direction: Uint8Array<ArrayBuffer>;
  /** Port of the responder: for baselines that are to show what a port alone would give, never for the network. */
  readonly port: Uint16Array<ArrayBuffer>;
  readonly protocol: Uint8Array<ArrayBuffer>;
  /** Number into `header.episodes`, or `nothing` for benign. */
  readonly episode: Uint16Array<ArrayBuffer>;
}

/** As an agent tells them: to the outside, from it, or between two devices. */
export const directions = ['outbound', 'inbound', 'internal'] as const;
export const unknownDirection = 255;

/** The class of a row. */
export function classOfRow(pack: FlowPack, row: number): TrafficClass {
  return pack.header.episodes[pack.episode[row] ?? nothing]?.class ?? 'benign';
}

const magic = Buffer.from('PKFLOWS1');
const largestPack = 1_000_000_000;
const largestHeader = 32_000_000;

/** Columns beside the features in the order in which they are stored. */
const keyColumns = [
  'flowNumber',
  'reportNumber',
  'device',
  'otherDevice',
  'peer',
  'port',
  'protocol',
  'episode',
  'direction',
] as const;
const bytesPerKey = {
  flowNumber: 4,
  reportNumber: 2,
  device: 2,
  otherDevice: 2,
  peer: 2,
  port: 2,
  protocol: 1,
  episode: 2,
  direction: 1,
};

export function encodeFlowPack(pack: FlowPack): Buffer {
  const { rows } = pack.header;
  const header = zstdCompressSync(JSON.stringify(FlowPackHeader.parse(pack.header)));
  const parts: Buffer[] = [];
  const column = new Float32Array(rows);
  for (let feature = 0; feature < featureCount; feature++) {
    for (let row = 0; row < rows; row++) column[row] = pack.features[row * featureCount + feature]!;
    parts.push(planes(bytesOf(column), 4));
  }
  parts.push(planes(bytesOf(deltas(pack.startUs, pack.header.from_us)), 8));
  parts.push(planes(bytesOf(deltas(pack.lastUs, pack.header.from_us)), 8));
  for (const key of keyColumns) parts.push(planes(bytesOf(pack[key]), bytesPerKey[key]));
  const body = zstdCompressSync(Buffer.concat(parts), { params: { [constants.ZSTD_c_compressionLevel]: 17 } });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([magic, length, header, body]);
}

/** Throws where the bytes are not a whole pack; `name` says in the message which file it was. */
export function decodeFlowPack(bytes: Buffer, name = 'the file'): FlowPack {
  if (bytes.length < 12 || !bytes.subarray(0, 8).equals(magic)) throw new Error(`${name} is no pack of flows`);
  const bodyAt = 12 + bytes.readUInt32LE(8);
  const header = readHeader(bytes.subarray(12, bodyAt), name);
  const { rows } = header;
  const keys = keyColumns.filter((key) => header.format > 1 || key !== 'direction');
  const size = rows * (featureCount * 4 + 16 + keys.reduce((sum, key) => sum + bytesPerKey[key], 0));
  if (size > largestPack) throw new Error(`${name} says it holds ${rows} rows: more than fit`);
  const body = decompress(bytes.subarray(bodyAt), size, name);
  let at = 0;
  const next = (width: number): ArrayBuffer => {
    const plain = unplanes(body.subarray(at, at + rows * width), width);
    at += rows * width;
    return plain;
  };
  const features = new Float32Array(rows * featureCount);
  for (let feature = 0; feature < featureCount; feature++) {
    const column = new Float32Array(next(4));
    for (let row = 0; row < rows; row++) features[row * featureCount + feature] = column[row]!;
  }
  return {
    header,
    features,
    startUs: sums(new Float64Array(next(8)), header.from_us),
    lastUs: sums(new Float64Array(next(8)), header.from_us),
    flowNumber: new Uint32Array(next(4)),
    reportNumber: new Uint16Array(next(2)),
    device: new Uint16Array(next(2)),
    otherDevice: new Uint16Array(next(2)),
    peer: new Uint16Array(next(2)),
    port: new Uint16Array(next(2)),
    protocol: new Uint8Array(next(1)),
    episode: new Uint16Array(next(2)),
    direction: header.format > 1 ? new Uint8Array(next(1)) : new Uint8Array(rows).fill(unknownDirection),
  };
}

/** Without the rows: what a listing needs. */
export function readFlowPackHeader(bytes: Buffer, name = 'the file'): FlowPackHeader {
  if (bytes.length < 12 || !bytes.subarray(0, 8).equals(magic)) throw new Error(`${name} is no pack of flows`);
  return readHeader(bytes.subarray(12, 12 + bytes.readUInt32LE(8)), name);
}

function readHeader(bytes: Buffer, name: string): FlowPackHeader {
  try {
    return FlowPackHeader.parse(
      JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: largestHeader }).toString('utf8')),
    );
  } catch (error) {
    throw new Error(`${name}: its header cannot be read`, { cause: error });
  }
}

function decompress(bytes: Buffer, size: number, name: string): Buffer {
  try {
    const body = zstdDecompressSync(bytes, { maxOutputLength: Math.max(size, 1) });
    if (body.length === size) return body;
  } catch (error) {
    throw new Error(`${name} is damaged: make it again with range extract`, { cause: error });
  }
  throw new Error(`${name} is damaged: rows are missing`);
}

const bytesOf = (values: Float32Array | Float64Array | Uint32Array | Uint16Array | Uint8Array): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** All first bytes, then all second ones …: neighbours alike, which is what compression lives on. */
function planes(bytes: Buffer, width: number): Buffer {
  const count = bytes.length / width;
  const out = Buffer.allocUnsafe(bytes.length);
  for (let plane = 0; plane < width; plane++) {
    for (let index = 0; index < count; index++) out[plane * count + index] = bytes[index * width + plane]!;
  }
  return out;
}

function unplanes(bytes: Buffer, width: number): ArrayBuffer {
  const count = bytes.length / width;
  const out = new Uint8Array(bytes.length);
  for (let plane = 0; plane < width; plane++) {
    for (let index = 0; index < count; index++) out[index * width + plane] = bytes[plane * count + index]!;
  }
  return out.buffer;
}

/** Whole microseconds stay exact: differences of such numbers lie far below 2^53. */
function deltas(values: Float64Array, first: number): Float64Array {
  return values.map((value, index) => value - (index === 0 ? first : values[index - 1]!));
}

function sums(values: Float64Array<ArrayBuffer>, first: number): Float64Array<ArrayBuffer> {
  let value = first;
  for (let index = 0; index < values.length; index++) values[index] = value += values[index]!;
  return values;
}
