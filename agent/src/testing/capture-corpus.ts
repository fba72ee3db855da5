/** Sound captures of every link and format, for a fuzzer to damage: made here, or shipped with the product. */
import { readFileSync } from 'node:fs';
import { pcapBytes, PcapngBuilder } from './capture-builder.ts';
import { cornerCapture } from './corner-capture.ts';
import { links, onLink, unusualFrames } from './link-frames.ts';
import { recordsOf } from './capture-records.ts';
import { type TimedFrame } from './packet-builder.ts';

export interface CorpusFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Corpus {
  /** By link: frames in capture order. */
  readonly conversations: readonly (readonly TimedFrame[])[];
  readonly files: readonly CorpusFile[];
}

const shipped = ['agent/captures/benign.pcap', 'agent/captures/demo.pcap', 'shared/fixtures/flows/corners.pcap'];
/** Enough of a shipped capture to hold whole conversations. */
const shippedRecords = 150;

/** Read and build the corpus; the same each time. */
export function captureCorpus(): Corpus {
  const corners = cornerCapture();
  const unusual = unusualFrames(corners.at(-1)!.timeUs + 1000);
  const ethernet = [...corners, ...unusual];
  const conversations = [
    corners,
    unusual,
    ...Object.values(links).map((link) => onLink(ethernet, link)),
    conversationOfMany(),
  ];
  const files = [
    ...pcapFiles(ethernet),
    ...Object.entries(links).map(([name, link]) => linkFile(name, onLink(ethernet, link))),
    ...pcapngFiles(ethernet),
    ...shipped.map(shippedFile),
  ];
  return { conversations, files };
}

/** More ends than a small table holds, some of them answered. */
function conversationOfMany(): TimedFrame[] {
  const [request, answer] = cornerCapture();
  return Array.from({ length: 240 }, (_, index) => {
    const { frame } = index % 3 === 2 ? answer! : request!;
    const changed = Uint8Array.from(frame);
    const host = Math.floor(index / 3);
    changed[index % 3 === 2 ? 33 : 29] = host;
    return { timeUs: request!.timeUs + index * 40_000, frame: changed };
  });
}

function pcapFiles(frames: readonly TimedFrame[]): CorpusFile[] {
  return [true, false].flatMap((littleEndian) =>
    [true, false].map((nanoseconds) => ({
      name: `${littleEndian ? 'little' : 'big'}-endian ${nanoseconds ? 'ns' : 'us'} pcap`,
      bytes: pcapBytes(frames, { littleEndian, nanoseconds }),
    })),
  );
}

function linkFile(name: string, frames: readonly TimedFrame[]): CorpusFile {
  return { name: `pcap of ${name}`, bytes: pcapBytes(frames, { linkType: frames[0]!.linkType ?? 1 }) };
}

function pcapngFiles(frames: readonly TimedFrame[]): CorpusFile[] {
  const section = (littleEndian: boolean): Uint8Array => pcapngSection(frames, littleEndian);
  return [
    { name: 'little-endian pcapng', bytes: Uint8Array.from(section(true)) },
    { name: 'big-endian pcapng', bytes: Uint8Array.from(section(false)) },
    { name: 'pcapng of two sections', bytes: Uint8Array.from([...section(true), ...section(false)]) },
  ];
}

/** Interfaces with their own clocks, all kinds of packet blocks, and blocks that are skipped. */
function pcapngSection(frames: readonly TimedFrame[], littleEndian: boolean): Uint8Array {
  const builder = new PcapngBuilder(littleEndian)
    .interface({ linkType: 1 })
    .interface({ linkType: 101, resolution: 9, snapLength: 96 })
    .interface({ linkType: 1, resolution: 0x80 | 20, offsetSeconds: -3600 })
    .block(4, (body) => body.raw(new Uint8Array(36)))
    .block(0x0bad, (body) => body.raw(new Uint8Array(400)));
  for (const [index, { timeUs, frame }] of frames.entries()) {
    if (index % 7 === 3) builder.packet(1, BigInt(timeUs) * 1000n, frame.subarray(14));
    else if (index % 7 === 4) builder.packet(2, (BigInt(timeUs) << 20n) / 1_000_000n, frame);
    else if (index % 7 === 5) builder.simplePacket(frame);
    else if (index % 7 === 6) obsoletePacket(builder, timeUs, frame);
    else builder.packet(0, BigInt(timeUs), frame);
    if (index % 10 === 9) builder.block(5, (body) => body.raw(new Uint8Array(20)));
  }
  return builder.bytes();
}

function obsoletePacket(builder: PcapngBuilder, timeUs: number, frame: Uint8Array): void {
  const units = BigInt(timeUs);
  builder.block(2, (body) =>
    body
      .u16(0)
      .u16(0)
      .u32(Number(units >> 32n))
      .u32(Number(units & 0xffffffffn))
      .u32(frame.length)
      .u32(frame.length)
      .raw(frame)
      .pad(),
  );
}

function shippedFile(path: string): CorpusFile {
  const bytes = Uint8Array.from(readFileSync(`${import.meta.dirname}/../../../${path}`));
  const records = recordsOf(bytes).slice(0, shippedRecords + 1);
  return { name: path, bytes: bytes.slice(0, records.at(-1)!.end) };
}
