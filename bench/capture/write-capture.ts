/**
 * Writes the capture that the meter is measured on when no other is given: 1.2 million packets of some 60 thousand
 * conversations, the same bytes every time.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { fillWithConversations } from './conversations.ts';
import { FrameWriter, longestFrame } from './frame-writer.ts';
import { PacketColumns } from './packet-columns.ts';
import { Random } from './random.ts';

export const defaultPackets = 1_200_000;

const recordHeader = 16;
const pieceBytes = 4 << 20;
/** 14 November 2023. */
const startSeconds = 1_700_000_000;

export interface WrittenCapture {
  readonly packets: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** Write `packets` packets to a pcap file at `path`, which is overwritten. */
export async function writeCapture(path: string, packets: number = defaultPackets): Promise<WrittenCapture> {
  const columns = new PacketColumns(packets);
  const random = new Random(1);
  fillWithConversations(columns, random);
  await using file = await open(path, 'w');
  const piece = new DataView(new ArrayBuffer(pieceBytes));
  const frames = new FrameWriter(piece, random);
  const hash = createHash('sha256');
  let at = writeFileHeader(piece);
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const filled = new Uint8Array(piece.buffer, 0, at);
    hash.update(filled);
    bytes += at;
    at = 0;
    await writeAll(file, filled);
  };
  for (const packet of columns.inOrder()) {
    if (at + recordHeader + longestFrame > pieceBytes) await flush();
    const length = frames.write(packet, at + recordHeader);
    piece.setUint32(at, startSeconds + Math.floor(packet.timeUs / 1e6), true);
    piece.setUint32(at + 4, packet.timeUs % 1e6, true);
    piece.setUint32(at + 8, length, true);
    piece.setUint32(at + 12, length, true);
    at += recordHeader + length;
  }
  await flush();
  return { packets: columns.count, bytes, sha256: hash.digest('hex') };
}

function writeFileHeader(piece: DataView): number {
  piece.setUint32(0, 0xa1b2c3d4, true);
  piece.setUint16(4, 2, true);
  piece.setUint16(6, 4, true);
  piece.setUint32(16, 65_535, true);
  piece.setUint32(20, 1, true);
  return 24;
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
}
