import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pcapBytes, PcapngBuilder } from '../testing/capture-builder.ts';
import { type TimedFrame, tcpFrame, udpFrame } from '../testing/packet-builder.ts';
import { CaptureError } from './capture-error.ts';
import { PcapStream } from './pcap-stream.ts';

interface Row {
  readonly timeUs: number;
  readonly linkType: number;
  readonly wireLength: number;
  readonly frame: string;
}

/** What the stream makes of `bytes`, fed in pieces of the given sizes (the last one repeats). */
function read(bytes: Uint8Array, sizes: readonly number[] = [bytes.length]): { rows: Row[]; error?: CaptureError } {
  const stream = new PcapStream('test.pcap');
  const rows: Row[] = [];
  try {
    let turn = 0;
    for (let at = 0; at < bytes.length; turn++) {
      const room = stream.room();
      const piece = bytes.subarray(at, at + Math.min(room.length, sizes[Math.min(turn, sizes.length - 1)]!));
      room.set(piece);
      stream.filled(piece.length);
      at += piece.length;
      for (let chunk = stream.next(); chunk !== undefined; chunk = stream.next()) {
        for (let row = 0; row < chunk.count; row++) {
          const offset = chunk.offsets[row]!;
          rows.push({
            timeUs: chunk.timesUs[row]!,
            linkType: chunk.linkTypes[row]!,
            wireLength: chunk.wireLengths[row]!,
            frame: Buffer.from(chunk.bytes.subarray(offset, offset + chunk.lengths[row]!)).toString('hex'),
          });
        }
      }
    }
    stream.end();
    return { rows };
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    return { rows, error };
  }
}

const timeUs = 1_700_000_000_123_456;
const frames: TimedFrame[] = [
  { timeUs, frame: tcpFrame({ src: '10.0.0.2', dst: '10.0.0.9' }, { flags: 'S' }) },
  { timeUs: timeUs + 1, frame: udpFrame({ src: '10.0.0.9', dst: '10.0.0.2' }, { payload: 33 }), wireLength: 900 },
];
const hex = frames.map(({ frame }) => Buffer.from(frame).toString('hex'));
const expected: Row[] = [
  { timeUs, linkType: 1, wireLength: 60, frame: hex[0]! },
  { timeUs: timeUs + 1, linkType: 1, wireLength: 900, frame: hex[1]! },
];

describe.each([
  { littleEndian: true, nanoseconds: false },
  { littleEndian: false, nanoseconds: false },
  { littleEndian: true, nanoseconds: true },
  { littleEndian: false, nanoseconds: true },
])('pcap %o', (options) => {
  test('gives the frames with their times and lengths', () => {
    expect(read(pcapBytes(frames, options))).toEqual({ rows: expected });
  });
});

test('nanoseconds are cut to whole µs, never rounded up', () => {
  const late = frames.map((frame) => ({ ...frame, timeUs: frame.timeUs + 0.75 }));
  expect(read(pcapBytes(late, { nanoseconds: true }))).toEqual({ rows: expected });
});

describe.each([true, false])('pcapng, little endian: %s', (littleEndian) => {
  test('gives frames of several interfaces, each with its link type and clock, and skips what it does not know', () => {
    const bytes = new PcapngBuilder(littleEndian)
      .interface({ linkType: 1 })
      .interface({ linkType: 113, resolution: 9 })
      .interface({ linkType: 101, resolution: 0x80 | 10, offsetSeconds: 1000 })
      .block(0x0bad, (body) => body.raw(new Uint8Array(1000)))
      .packet(0, BigInt(timeUs), frames[0]!.frame)
      .packet(1, BigInt(timeUs) * 1000n + 999n, frames[1]!.frame)
      .packet(2, 5n * 1024n + 512n, Uint8Array.of(0x45))
      .simplePacket(frames[0]!.frame)
      .bytes();
    expect(read(bytes)).toEqual({
      rows: [
        { timeUs, linkType: 1, wireLength: 60, frame: hex[0] },
        { timeUs, linkType: 113, wireLength: 75, frame: hex[1] },
        { timeUs: 1_005_500_000, linkType: 101, wireLength: 1, frame: '45' },
        { timeUs: 1_005_500_000, linkType: 1, wireLength: 60, frame: hex[0] },
      ],
    });
  });

  test('a simple packet holds no more than the snap length, whatever its padding', () => {
    const bytes = new PcapngBuilder(littleEndian)
      .interface({ linkType: 1, snapLength: 5 })
      .simplePacket(Uint8Array.of(1, 2, 3, 4, 5), 77)
      .bytes();
    expect(read(bytes).rows).toEqual([{ timeUs: 0, linkType: 1, wireLength: 77, frame: '0102030405' }]);
  });

  test('an obsolete packet block has its interface in 16 bits, beside a count of drops', () => {
    const bytes = new PcapngBuilder(littleEndian)
      .interface({ linkType: 1 })
      .interface({ linkType: 101 })
      .block(2, (body) =>
        body
          .u16(1)
          .u16(7) // dropped
          .u32(Math.floor(timeUs / 2 ** 32))
          .u32(timeUs % 2 ** 32)
          .u32(3)
          .u32(900)
          .raw(Uint8Array.of(1, 2, 3))
          .pad(),
      )
      .bytes();
    expect(read(bytes)).toEqual({ rows: [{ timeUs, linkType: 101, wireLength: 900, frame: '010203' }] });
  });
});

test('a second section may have the other byte order and its own interfaces', () => {
  const one = new PcapngBuilder(true).interface({ linkType: 1 }).packet(0, 7n, Uint8Array.of(1)).bytes();
  const two = new PcapngBuilder(false).interface({ linkType: 101 }).packet(0, 8n, Uint8Array.of(2)).bytes();
  expect(read(Buffer.concat([one, two])).rows.map((row) => [row.timeUs, row.linkType])).toEqual([
    [7, 1],
    [8, 101],
  ]);
});

const small = {
  pcap: pcapBytes(frames),
  pcapng: new PcapngBuilder().interface({ linkType: 1 }).packet(0, 7n, frames[0]!.frame).bytes(),
};

test.each(['pcap', 'pcapng'] as const)(
  '%s cut at any byte: whole records come, then an error names the place',
  (kind) => {
    const bytes = small[kind];
    const whole = read(bytes).rows;
    const boundaries = kind === 'pcap' ? [24, 24 + 16 + 60, bytes.length] : [28, 52, bytes.length];
    for (let size = 0; size < bytes.length; size++) {
      const { rows, error } = read(bytes.subarray(0, size));
      expect(rows).toEqual(whole.slice(0, rows.length));
      if (boundaries.includes(size)) {
        expect(error).toBeUndefined();
      } else {
        expect(error?.code).toBe(size === 0 ? 'not-a-capture' : 'truncated');
        expect(error?.byteOffset).toBe(boundaries.findLast((boundary) => boundary <= size) ?? 0);
      }
    }
  },
);

test('other formats are named for what they are', () => {
  expect(read(Buffer.from('srcIp,srcPort\n')).error).toMatchObject({ code: 'not-a-capture', byteOffset: 0 });
  expect(read(Uint8Array.of(0x1f, 0x8b, 8, 0, 0)).error?.message).toContain('compressed');
  expect(read(Buffer.from('snoop\0\0\0')).error?.message).toMatch(/\(snoop, at byte 0\): convert .*editcap/);
  expect(read(Uint8Array.of(0x34, 0xcd, 0xb2, 0xa1, 2, 0)).error?.message).toMatch(/longer records.*editcap/);
});

test('an impossible length ends the stream behind the records before it', () => {
  const bytes = pcapBytes([...frames, ...frames]);
  const second = 24 + 16 + 60;
  new DataView(bytes.buffer).setUint32(second + 8, 0x7fffffff, true);
  const { rows, error } = read(bytes);
  expect(rows).toEqual(expected.slice(0, 1));
  expect(error).toMatchObject({ code: 'corrupt', byteOffset: second });
});

test.each([2, 6])(
  'a packet that claims more than its block of type %i holds is an error, not what lies behind it',
  (type) => {
    const builder = new PcapngBuilder().interface({ linkType: 1 });
    if (type === 6) builder.packet(0, 7n, frames[0]!.frame);
    const before = builder.bytes().length;
    const claim = (captured: number): Uint8Array =>
      builder
        .block(type, (body) => body.u32(0).u32(0).u32(7).u32(captured).u32(captured).raw(new Uint8Array(20)))
        .bytes();
    const { rows, error } = read(claim(21));
    expect(rows).toHaveLength(type === 6 ? 1 : 0);
    expect(error).toMatchObject({ code: 'corrupt', byteOffset: before });
    expect(error?.message).toContain('a packet of 21 bytes in a block of 52');
  },
);

test('a packet of an interface that was never described is an error', () => {
  const bytes = new PcapngBuilder().interface({ linkType: 1 }).packet(0, 7n, frames[0]!.frame);
  const { rows, error } = read(bytes.packet(1, 7n, frames[0]!.frame).bytes());
  expect(rows).toHaveLength(1);
  expect(error).toMatchObject({ code: 'corrupt' });
  expect(error?.message).toContain('interface 1');
});

test('however the bytes arrive, the same frames come out', () => {
  const many = Array.from({ length: 40 }, (_, index) => frames[index % 2]!);
  const bytes = pcapBytes(many);
  const whole = read(bytes);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 }), (sizes) => {
      expect(read(bytes, sizes)).toEqual(whole);
    }),
    { numRuns: 60 },
  );
});

test('damaged captures give frames inside the buffer or a CaptureError, nothing else', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.constantFrom('pcap' as const, 'pcapng' as const), damage, (kind, changes) => {
      const bytes = Uint8Array.from(small[kind]);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const { rows } = read(bytes, [97]);
      for (const row of rows) {
        expect(row.frame.length / 2).toBeLessThanOrEqual(bytes.length);
        expect(row.timeUs).toBeGreaterThanOrEqual(0);
        expect(Number.isSafeInteger(row.timeUs)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
