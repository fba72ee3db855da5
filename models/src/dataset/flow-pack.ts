/**
 * Labelled flows of one capture in one small file, so that training needs neither root nor hours of capture. A pack
 * keeps what windows are made of: every flow and report in the order in which the agent handed it over, whose it was,
 * and which attack made it. Columns are kept as differences from guesses, split into byte planes and compressed with zstd.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { TrafficClass } from '@picket/shared/features/traffic-classes';
import { z } from 'zod';
import type { FlowColumns } from './flow-columns.ts';
import { decodeGuessedColumns, encodeGuessedColumns, guessedColumnsSize } from './guessed-columns.ts';
import { decodePlainColumns, plainColumnsSize } from './plain-columns.ts';

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
  /** 1 did not know directions; up to 2 features are stored as they are, from 3 on as differences from guesses. */
  format: z.union([z.literal(1), z.literal(2), z.literal(3)]),
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

export interface FlowPack extends FlowColumns {
  readonly header: FlowPackHeader;
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

/** Always of the newest format, whatever `pack.header.format` says. Throws where a time is no whole number of microseconds. */
export function encodeFlowPack(pack: FlowPack): Buffer {
  const header = zstdCompressSync(JSON.stringify(FlowPackHeader.parse({ ...pack.header, format: 3 })));
  const columns = encodeGuessedColumns(pack, pack.header.rows, pack.header.from_us);
  const body = zstdCompressSync(columns, { params: { [constants.ZSTD_c_compressionLevel]: 19 } });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([magic, length, header, body]);
}

/** Throws where the bytes are not a whole pack; `name` says in the message which file it was. */
export function decodeFlowPack(bytes: Buffer, name = 'the file'): FlowPack {
  const header = readFlowPackHeader(bytes, name);
  const { rows, format, from_us } = header;
  const size = format === 3 ? guessedColumnsSize(rows) : plainColumnsSize(rows, format);
  if (size > largestPack) throw new Error(`${name} says it holds ${rows} rows: more than fit`);
  const body = decompress(bytes.subarray(12 + bytes.readUInt32LE(8)), size, name);
  const columns =
    format === 3 ? decodeGuessedColumns(body, rows, from_us) : decodePlainColumns(body, rows, from_us, format);
  return { header, ...columns };
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
