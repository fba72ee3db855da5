/** The same frames in every form a capture file has, so that a test can show that the form does not matter. */
import type { Chunk } from '../capture/packet-source.ts';
import { PcapStream } from '../capture/pcap-stream.ts';
import { pcapBytes, PcapngBuilder } from './capture-builder.ts';
import type { TimedFrame } from './packet-builder.ts';

export interface CaptureForm {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** All frames must be of one link type: a pcap file has only one. */
export function captureForms(frames: readonly TimedFrame[]): CaptureForm[] {
  const linkType = frames[0]?.linkType ?? 1;
  const forms: CaptureForm[] = [];
  for (const littleEndian of [true, false]) {
    const order = littleEndian ? 'little endian' : 'big endian';
    forms.push(
      { name: `pcap, ${order}, µs`, bytes: pcapBytes(frames, { littleEndian, linkType }) },
      { name: `pcap, ${order}, ns`, bytes: pcapBytes(frames, { littleEndian, linkType, nanoseconds: true }) },
      { name: `pcapng, ${order}, one interface`, bytes: pcapngBytes(frames, littleEndian, 1) },
      { name: `pcapng, ${order}, three interfaces`, bytes: pcapngBytes(frames, littleEndian, 3) },
    );
  }
  return forms;
}

/**
 * One section. The interfaces take turns and differ in their clocks: µs, ns, and µs counted from a second of its own;
 * between packets stand blocks that a reader must skip.
 */
function pcapngBytes(
  frames: readonly TimedFrame[],
  littleEndian: boolean,
  interfaces: number,
): Uint8Array<ArrayBuffer> {
  const linkType = frames[0]?.linkType ?? 1;
  const offsetSeconds = Math.floor((frames[0]?.timeUs ?? 0) / 1e6) - 10;
  const builder = new PcapngBuilder(littleEndian);
  const clocks = [{}, { resolution: 9 }, { offsetSeconds }].slice(0, interfaces);
  for (const clock of clocks) builder.interface({ linkType, ...clock });
  for (const [index, { timeUs, frame, wireLength }] of frames.entries()) {
    const turn = index % interfaces;
    const units = BigInt(timeUs) * (turn === 1 ? 1000n : 1n) - (turn === 2 ? BigInt(offsetSeconds) * 1_000_000n : 0n);
    builder.packet(turn, units, frame, wireLength);
    if (index % 5 === 0) builder.block(0x0bad, (body) => body.raw(new Uint8Array(4 * (index % 20))));
  }
  return builder.bytes();
}

/** Chunks of `bytes`, which arrive in pieces of the given sizes over and over. */
export function* chunksInPieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Chunk, void, void> {
  const stream = new PcapStream('capture in pieces');
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const room = stream.room();
    const piece = bytes.subarray(at, at + Math.min(room.length, sizes[turn % sizes.length]!));
    room.set(piece);
    stream.filled(piece.length);
    at += piece.length;
    for (let chunk = stream.next(); chunk !== undefined; chunk = stream.next()) yield chunk;
  }
  stream.end();
}
