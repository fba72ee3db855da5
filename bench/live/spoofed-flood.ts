/**
 * A spoofed SYN flood as packets, made piece by piece so that five million sources need no room: one SYN of 60 bytes
 * from each, as `hping3 -S --rand-source` sends them, answered by the victim where it still answers.
 */

export interface SpoofedFlood {
  /** Distinct source addresses; one SYN each. */
  readonly sources: number;
  /** SYNs per second of packet time. */
  readonly rate: number;
  /** Of so many SYNs the victim answers one; 0: it is gone. */
  readonly answersOneOf: number;
  /** µs since 1970 of the first packet. */
  readonly startUs: number;
}

export const victim = { address: '192.168.77.20', port: 80 } as const;

const frameBytes = 60;
const recordBytes = 16 + frameBytes;
const pieceSyns = 4096;
const outside = Uint8Array.of(2, 0, 0, 0, 0, 1);
const victimMac = Uint8Array.of(2, 0, 0, 0, 0, 0x20);
const victimBytes = victim.address.split('.').map(Number);

/** The file header first, then records: a pcap stream. Each piece is overwritten by the next. */
export function* spoofedFlood(flood: SpoofedFlood): Generator<Uint8Array, void, void> {
  yield fileHeader();
  const piece = Buffer.alloc(pieceSyns * 2 * recordBytes);
  let at = 0;
  for (let index = 0; index < flood.sources; index++) {
    const timeUs = flood.startUs + Math.floor((index * 1e6) / flood.rate);
    const source = sourceOf(index);
    const port = 1024 + (index % 60_000);
    at = writeRecord(piece, at, timeUs, source, port, index, false);
    if (flood.answersOneOf > 0 && index % flood.answersOneOf === 0) {
      at = writeRecord(piece, at, timeUs + 90, source, port, index, true);
    }
    if (index % pieceSyns === pieceSyns - 1 || index === flood.sources - 1) {
      yield piece.subarray(0, at);
      at = 0;
    }
  }
}

/** Packets that `flood` is made of. */
export function packetsOf({ sources, answersOneOf }: SpoofedFlood): number {
  return sources + (answersOneOf > 0 ? Math.ceil(sources / answersOneOf) : 0);
}

/**
 * A different address for each index below 2^24 (an odd factor permutes them), spread over 16 networks of the outside:
 * what is private, or no host at all, would be taken for a device.
 */
function sourceOf(index: number): number {
  return (0x20_00_00_00 + (Math.imul(index, 0x9e3779b1) & 0xff_ff_ff) * 16 + (index & 15)) >>> 0;
}

function fileHeader(): Uint8Array {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(1, 20);
  return header;
}

function writeRecord(
  to: Buffer,
  at: number,
  timeUs: number,
  source: number,
  port: number,
  sequence: number,
  isAnswer: boolean,
): number {
  to.fill(0, at, at + recordBytes);
  to.writeUInt32LE(Math.floor(timeUs / 1e6), at);
  to.writeUInt32LE(timeUs % 1e6, at + 4);
  to.writeUInt32LE(frameBytes, at + 8);
  to.writeUInt32LE(frameBytes, at + 12);
  const frame = at + 16;
  to.set(isAnswer ? outside : victimMac, frame);
  to.set(isAnswer ? victimMac : outside, frame + 6);
  to.writeUInt16BE(0x0800, frame + 12);
  const ip = frame + 14;
  to[ip] = 0x45;
  to.writeUInt16BE(isAnswer ? 44 : 40, ip + 2);
  to.writeUInt16BE(sequence & 0xffff, ip + 4);
  to[ip + 8] = 64;
  to[ip + 9] = 6;
  to.writeUInt32BE(source, ip + (isAnswer ? 16 : 12));
  to.set(victimBytes, ip + (isAnswer ? 12 : 16));
  to.writeUInt16BE(headerChecksum(to, ip), ip + 10);
  const tcp = ip + 20;
  to.writeUInt16BE(isAnswer ? victim.port : port, tcp);
  to.writeUInt16BE(isAnswer ? port : victim.port, tcp + 2);
  to.writeUInt32BE(sequence, tcp + 4);
  to[tcp + 12] = isAnswer ? 0x60 : 0x50;
  to[tcp + 13] = isAnswer ? 0x12 : 0x02;
  to.writeUInt16BE(isAnswer ? 64_240 : 512, tcp + 14);
  if (isAnswer) to.writeUInt32BE(0x020405b4, tcp + 20);
  return at + recordBytes;
}

function headerChecksum(bytes: Buffer, ip: number): number {
  let sum = 0;
  for (let offset = 0; offset < 20; offset += 2) sum += bytes.readUInt16BE(ip + offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
