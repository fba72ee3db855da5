/**
 * Labelled flows of one capture in one small file, so that training needs neither root nor hours of capture. A pack
 * keeps what windows are made of: every flow and report in the order in which the agent handed it over, whose it was,
 * and which attack made it. Columns are kept as differences from guesses, split into byte planes and compressed with zstd.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { faultOf } from './check-columns.ts';
import type { FlowColumns } from './flow-columns.ts';
import { type FlowPackHeader, checkHeader } from './flow-pack-header.ts';
import { decodeGuessedColumns, encodeGuessedColumns, guessedColumnsSize } from './guessed-columns.ts';
import { decodePlainColumns, plainColumnsSize } from './plain-columns.ts';

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

/** Bytes of a header, unpacked; 65,000 addresses of IPv6 take 3 million. */
const largestHeader = 8_000_000;
const magic = Buffer.from('PKFLOWS1');
const remedy = 'fetch it again, or make it again with range extract';

/**
 * Always of the newest format, whatever `pack.header.format` says.
 * @param name What messages call the pack: its path, say.
 * @throws Error where the pack could not be read again: it names the pack, the field or column, and what is wrong with it.
 */
export function encodeFlowPack(pack: FlowPack, name = pack.header.name): Buffer {
  const { header: given, ...columns } = pack;
  const header = checkHeader({ ...given, format: 3 }, name);
  const fault = faultOf(columns, header.rows, listsOf(header));
  if (fault !== undefined) throw new Error(`${name} cannot be packed: ${fault}`);
  const text = Buffer.from(JSON.stringify(header));
  if (text.length > largestHeader)
    throw new Error(`${name}: the header has ${text.length} bytes, and may have ${largestHeader} at most`);
  const packedHeader = zstdCompressSync(text);
  const plain = encodeGuessedColumns(columns, header.rows, header.from_us);
  const body = zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 19 } });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(packedHeader.length);
  return Buffer.concat([magic, length, packedHeader, body]);
}

/**
 * Bytes of any origin: they cost no more memory than the rows that a pack may hold.
 * @param name What messages call the pack: its path, say.
 * @throws Error where the bytes are not a whole pack: it names the pack, the field or column, and what is wrong with it.
 */
export function decodeFlowPack(bytes: Buffer, name = 'the file'): FlowPack {
  const header = readFlowPackHeader(bytes, name);
  const { rows, format, from_us } = header;
  const size = format === 3 ? guessedColumnsSize(rows) : plainColumnsSize(rows, format);
  const body = unpack(bytes.subarray(12 + bytes.readUInt32LE(8)), size, `${name} is damaged: columns`);
  if (body.length !== size)
    throw new Error(
      `${name} is damaged: columns of ${rows} rows take ${size} bytes, ${body.length} are there; ${remedy}`,
    );
  const columns =
    format === 3 ? decodeGuessedColumns(body, rows, from_us) : decodePlainColumns(body, rows, from_us, format);
  const fault = faultOf(columns, rows, listsOf(header));
  if (fault !== undefined) throw new Error(`${name} is damaged: ${fault}; ${remedy}`);
  return { header, ...columns };
}

/** Without the rows: what a listing needs. Throws as `decodeFlowPack` does. */
export function readFlowPackHeader(bytes: Buffer, name = 'the file'): FlowPackHeader {
  if (bytes.length < 12 || !bytes.subarray(0, 8).equals(magic)) throw new Error(`${name} is no pack of flows`);
  const length = bytes.readUInt32LE(8);
  const there = bytes.length - 12;
  if (length > there)
    throw new Error(`${name} is damaged: the header takes ${length} bytes, ${there} are there; ${remedy}`);
  const text = unpack(bytes.subarray(12, 12 + length), largestHeader, `${name} is damaged: header`).toString('utf8');
  return checkHeader(parsed(text, name), name);
}

/** Columns that point into a list: how long it is, and what stands for none. */
function listsOf({ addresses, episodes }: FlowPackHeader): Parameters<typeof faultOf>[2] {
  return [
    { column: 'device', list: 'addresses', length: addresses.length },
    { column: 'otherDevice', list: 'addresses', length: addresses.length, none: nothing },
    { column: 'peer', list: 'addresses', length: addresses.length },
    { column: 'episode', list: 'episodes', length: episodes.length, none: nothing },
    { column: 'direction', list: 'directions', length: directions.length, none: unknownDirection },
  ];
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} is damaged: the header is no JSON; ${remedy}`, { cause: error });
  }
}

/** Never more than `most` bytes. */
function unpack(bytes: Buffer, most: number, what: string): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: Math.max(most, 1) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ERR_BUFFER_TOO_LARGE' ? `more than ${most} bytes` : message.toLowerCase();
    throw new Error(`${what} cannot be unpacked: ${reason}; ${remedy}`, { cause: error });
  }
}
