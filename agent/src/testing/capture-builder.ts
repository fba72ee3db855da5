/** Capture files made in a test: pcap and pcapng in either byte order. */
import type { TimedFrame } from './packet-builder.ts';

export interface PcapOptions {
  readonly littleEndian?: boolean;
  readonly nanoseconds?: boolean;
  readonly linkType?: number;
}

export function pcapBytes(frames: readonly TimedFrame[], options: PcapOptions = {}): Uint8Array<ArrayBuffer> {
  const { littleEndian = true, nanoseconds = false, linkType = 1 } = options;
  const out = new ByteWriter(littleEndian);
  out
    .u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4)
    .u16(2)
    .u16(4)
    .u32(0)
    .u32(0)
    .u32(262_144)
    .u32(linkType);
  for (const { timeUs, frame, wireLength } of frames) {
    const seconds = Math.floor(timeUs / 1e6);
    const us = timeUs - seconds * 1e6;
    out
      .u32(seconds)
      .u32(nanoseconds ? us * 1000 : us)
      .u32(frame.length)
      .u32(wireLength ?? frame.length)
      .raw(frame);
  }
  return out.bytes();
}

export interface PcapngInterface {
  readonly linkType: number;
  /** As option if_tsresol has it: n for 10^-n s, 0x80 | n for 2^-n s; default 6. */
  readonly resolution?: number;
  readonly offsetSeconds?: number;
  readonly snapLength?: number;
}

/** One section, built block by block. */
export class PcapngBuilder {
  readonly #out: ByteWriter;
  readonly #interfaces: PcapngInterface[] = [];

  constructor(littleEndian = true) {
    this.#out = new ByteWriter(littleEndian);
    this.block(0x0a0d0d0a, (body) => body.u32(0x1a2b3c4d).u16(1).u16(0).u32(0xffffffff).u32(0xffffffff));
  }

  interface(description: PcapngInterface): this {
    this.#interfaces.push(description);
    return this.block(1, (body) => {
      body
        .u16(description.linkType)
        .u16(0)
        .u32(description.snapLength ?? 0);
      if (description.resolution !== undefined) {
        body
          .u16(9)
          .u16(1)
          .raw(Uint8Array.of(description.resolution, 0, 0, 0));
      }
      if (description.offsetSeconds !== undefined) body.u16(14).u16(8).i64(BigInt(description.offsetSeconds));
      body.u16(0).u16(0);
    });
  }

  /** `units`: the time stamp in the interface's own units. */
  packet(interfaceIndex: number, units: bigint, frame: Uint8Array, wireLength: number = frame.length): this {
    return this.block(6, (body) =>
      body
        .u32(interfaceIndex)
        .u32(Number(units >> 32n))
        .u32(Number(units & 0xffffffffn))
        .u32(frame.length)
        .u32(wireLength)
        .raw(frame)
        .pad(),
    );
  }

  simplePacket(frame: Uint8Array, wireLength: number = frame.length): this {
    return this.block(3, (body) => body.u32(wireLength).raw(frame).pad());
  }

  block(type: number, write: (body: ByteWriter) => unknown): this {
    const body = new ByteWriter(this.#out.littleEndian);
    write(body);
    const content = body.bytes();
    this.#out
      .u32(type)
      .u32(content.length + 12)
      .raw(content)
      .u32(content.length + 12);
    return this;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#out.bytes();
  }
}

export class ByteWriter {
  readonly littleEndian: boolean;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }

  u16(value: number): this {
    const bytes = new Uint8Array(2);
    new DataView(bytes.buffer).setUint16(0, value, this.littleEndian);
    return this.raw(bytes);
  }

  u32(value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, this.littleEndian);
    return this.raw(bytes);
  }

  i64(value: bigint): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, value, this.littleEndian);
    return this.raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  /** Zeros up to a multiple of four. */
  pad(): this {
    return this.raw(new Uint8Array(-this.#length & 3));
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
