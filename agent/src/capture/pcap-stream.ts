/**
 * Finds the records in a stream of pcap or pcapng bytes, whichever byte order and clock it has. The bytes may be
 * hostile: every length is checked before it is used, and memory is one fixed buffer.
 */
import { CaptureError } from './capture-error.ts';
import { foreignFormat } from './foreign-format.ts';
import { type Chunk, maxWireBytes } from './packet-source.ts';
import {
  blockType,
  byteOrderMagic,
  type CaptureInterface,
  maxBlockBytes,
  maxInterfaces,
  readInterface,
  timeOf,
} from './pcapng-block.ts';

/** What libpcap allows one frame to have. */
const maxFrameBytes = 262_144;
const bufferBytes = 1_048_576;
const chunkRows = 8192;

/**
 * Bytes in through `room` and `filled`, chunks out through `next`. The chunk that `next` returns is the same object
 * each time and holds until `next` or `room` is called again.
 */
export class PcapStream {
  readonly #name: string;
  readonly #bytes = new Uint8Array(bufferBytes);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #chunk: Chunk & { count: number } = {
    count: 0,
    bytes: this.#bytes,
    offsets: new Uint32Array(chunkRows),
    lengths: new Uint32Array(chunkRows),
    wireLengths: new Uint32Array(chunkRows),
    timesUs: new Float64Array(chunkRows),
    linkTypes: new Uint16Array(chunkRows),
  };
  #format: 'unknown' | 'pcap' | 'pcapng' = 'unknown';
  #littleEndian = true;
  #nanoseconds = false;
  #linkType = 0;
  #interfaces: CaptureInterface[] = [];
  #lastTimeUs = 0;
  /** Unread bytes are [#start, #end) of the buffer; #base is the stream position of the buffer's first byte. */
  #start = 0;
  #end = 0;
  #base = 0;
  /** Bytes of an uninteresting block that have not arrived yet. */
  #skip = 0;
  /** Where that block begins, from the beginning of the stream. */
  #skippedAt = 0;
  /** What is wrong behind the records that were just delivered. */
  #failure: CaptureError | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** Where to put the next bytes; never empty once `next` has returned undefined. */
  room(): Uint8Array<ArrayBuffer> {
    if (this.#start > 0) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#base += this.#start;
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#bytes.subarray(this.#end);
  }

  /** So many bytes were put into `room`. */
  filled(count: number): void {
    this.#end += count;
  }

  /**
   * The whole records that have arrived, at most 8192; undefined when more bytes are needed.
   * @throws {CaptureError} `not-a-capture` or `corrupt`; records before that place come first
   */
  next(): Chunk | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    this.#chunk.count = 0;
    try {
      if (this.#format === 'unknown' && !this.#readFileHeader()) return undefined;
      if (this.#format === 'pcap') this.#readRecords();
      else this.#readBlocks();
    } catch (error) {
      if (!(error instanceof CaptureError) || this.#chunk.count === 0) throw error;
      this.#failure = error;
    }
    return this.#chunk.count > 0 ? this.#chunk : undefined;
  }

  /**
   * The stream is over.
   * @throws {CaptureError} `truncated` when it ended inside a record, `not-a-capture` when it held no header
   */
  end(): void {
    const left = this.#end - this.#start;
    const over = this.#base + this.#end;
    const at = this.#skip > 0 ? this.#skippedAt : over - left;
    if (this.#format === 'unknown') {
      throw new CaptureError(
        left === 0 ? 'not-a-capture' : 'truncated',
        left === 0
          ? `${this.#name} is empty (it ends at byte 0): give a pcap or pcapng file`
          : `${this.#name} ends at byte ${left}, inside the file header that begins at byte 0: capture it again`,
        at,
      );
    }
    if (left > 0 || this.#skip > 0) {
      throw new CaptureError(
        'truncated',
        `${this.#name} ends at byte ${over} inside the record that begins at byte ${at}; ` +
          'the packets before it were used: capture it again, or cut the file there',
        at,
      );
    }
  }

  #readFileHeader(): boolean {
    if (this.#end - this.#start < 4) return false;
    const magic = this.#view.getUint32(this.#start, false);
    if (magic === blockType.sectionHeader) {
      this.#format = 'pcapng';
      return true;
    }
    const little = this.#view.getUint32(this.#start, true);
    this.#littleEndian = little === 0xa1b2c3d4 || little === 0xa1b23c4d;
    const read = this.#littleEndian ? little : magic;
    if (read !== 0xa1b2c3d4 && read !== 0xa1b23c4d) throw foreignFormat(this.#name, magic);
    if (this.#end - this.#start < 24) return false;
    this.#nanoseconds = read === 0xa1b23c4d;
    this.#linkType = this.#view.getUint32(this.#start + 20, this.#littleEndian) & 0xffff;
    this.#start += 24;
    this.#format = 'pcap';
    return true;
  }

  #readRecords(): void {
    const { offsets, lengths, wireLengths, timesUs, linkTypes } = this.#chunk;
    const view = this.#view;
    const little = this.#littleEndian;
    const nanoseconds = this.#nanoseconds;
    const end = this.#end;
    let start = this.#start;
    let row = 0;
    while (row < chunkRows && end - start >= 16) {
      const length = view.getUint32(start + 8, little);
      if (length > maxFrameBytes) {
        this.#start = start;
        throw this.#corrupt(start, `has a record of ${length} bytes (at most ${maxFrameBytes} are possible)`);
      }
      if (end - start - 16 < length) break;
      const fraction = view.getUint32(start + 4, little);
      timesUs[row] = view.getUint32(start, little) * 1e6 + (nanoseconds ? Math.floor(fraction / 1000) : fraction);
      offsets[row] = start + 16;
      lengths[row] = length;
      const wireLength = view.getUint32(start + 12, little);
      wireLengths[row] = wireLength > maxWireBytes ? maxWireBytes : wireLength;
      linkTypes[row] = this.#linkType;
      row++;
      start += 16 + length;
      this.#chunk.count = row;
    }
    this.#start = start;
  }

  #readBlocks(): void {
    while (this.#chunk.count < chunkRows) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, this.#end - this.#start);
        this.#skip -= skipped;
        this.#start += skipped;
      }
      const start = this.#start;
      const available = this.#end - start;
      if (available < 12) return;
      const type = this.#view.getUint32(start, this.#littleEndian);
      const isSection = type === blockType.sectionHeader;
      if (isSection) this.#readByteOrder(start);
      const length = this.#view.getUint32(start + 4, this.#littleEndian);
      const problem = this.#blockProblem(type, length);
      if (problem !== undefined) throw this.#corrupt(start, problem);
      if (isKnown(type)) {
        if (available < length) return;
        if (this.#view.getUint32(start + length - 4, this.#littleEndian) !== length) {
          throw this.#corrupt(start, 'has a block whose two lengths differ');
        }
        this.#readBlock(type, start, length);
        this.#start = start + length;
      } else {
        this.#skip = length;
        this.#skippedAt = this.#base + start;
      }
    }
  }

  #blockProblem(type: number, length: number): string | undefined {
    if (length % 4 !== 0 || length < 12) return `has a block of ${length} bytes`;
    if (!isKnown(type)) return undefined;
    if (length > maxBlockBytes) return `has a block of ${length} bytes (at most ${maxBlockBytes} are read)`;
    if (length < smallestBlock(type)) return `has a block of type ${type} with only ${length} bytes`;
    return undefined;
  }

  #readByteOrder(start: number): void {
    const big = this.#view.getUint32(start + 8, false);
    const little = this.#view.getUint32(start + 8, true);
    if (big !== byteOrderMagic && little !== byteOrderMagic) {
      throw this.#corrupt(start, 'has a section header without its byte-order mark');
    }
    this.#littleEndian = little === byteOrderMagic;
  }

  #readBlock(type: number, start: number, length: number): void {
    const view = this.#view;
    const little = this.#littleEndian;
    if (type === blockType.sectionHeader) {
      this.#interfaces = [];
    } else if (type === blockType.interfaceDescription) {
      if (this.#interfaces.length >= maxInterfaces) {
        throw this.#corrupt(start, `describes more than ${maxInterfaces} interfaces`);
      }
      this.#interfaces.push(readInterface(view, start, length, little));
    } else if (type === blockType.simplePacket) {
      const source = this.#interface(0, start);
      const wireLength = view.getUint32(start + 8, little);
      const limit = source.snapLength === 0 ? wireLength : Math.min(source.snapLength, wireLength);
      this.#addRow(start + 12, Math.min(limit, length - 16), wireLength, this.#lastTimeUs, source.linkType);
    } else {
      const index =
        type === blockType.enhancedPacket ? view.getUint32(start + 8, little) : view.getUint16(start + 8, little);
      const source = this.#interface(index, start);
      const captured = view.getUint32(start + 20, little);
      if (captured > length - 32) {
        throw this.#corrupt(start, `has a packet of ${captured} bytes in a block of ${length}`);
      }
      this.#lastTimeUs = timeOf(source, view.getUint32(start + 12, little), view.getUint32(start + 16, little));
      this.#addRow(start + 28, captured, view.getUint32(start + 24, little), this.#lastTimeUs, source.linkType);
    }
  }

  /** The interface that the packet block at `start` names. */
  #interface(index: number, start: number): CaptureInterface {
    const found = this.#interfaces[index];
    if (found === undefined)
      throw this.#corrupt(start, `has a packet of interface ${index}, which it does not describe,`);
    return found;
  }

  #addRow(offset: number, length: number, wireLength: number, timeUs: number, linkType: number): void {
    const row = this.#chunk.count++;
    this.#chunk.offsets[row] = offset;
    this.#chunk.lengths[row] = length;
    this.#chunk.wireLengths[row] = Math.min(wireLength, maxWireBytes);
    this.#chunk.timesUs[row] = timeUs;
    this.#chunk.linkTypes[row] = linkType;
  }

  #corrupt(start: number, what: string): CaptureError {
    const at = this.#base + start;
    return new CaptureError(
      'corrupt',
      `${this.#name} ${what} at byte ${at}; the packets before it were used: capture it again, or cut the file there`,
      at,
    );
  }
}

function isKnown(type: number): boolean {
  return (
    type === blockType.enhancedPacket ||
    type === blockType.interfaceDescription ||
    type === blockType.simplePacket ||
    type === blockType.sectionHeader ||
    type === blockType.obsoletePacket
  );
}

function smallestBlock(type: number): number {
  if (type === blockType.enhancedPacket || type === blockType.obsoletePacket) return 32;
  if (type === blockType.sectionHeader) return 28;
  return type === blockType.interfaceDescription ? 20 : 16;
}
