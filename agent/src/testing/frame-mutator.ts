/** Damage to captured frames, aimed at what a decoder trusts: types, lengths, offsets, chains, and the end of the bytes. */
import { maxWireBytes } from '../capture/packet-source.ts';
import { layersOf } from './frame-layers.ts';
import type { TimedFrame } from './packet-builder.ts';
import type { SeededRandom } from './seeded-random.ts';

const oddBytes = [0, 1, 0x7f, 0x80, 0xff];
const oddWords = [0, 1, 7, 8, 19, 20, 39, 40, 46, 0x7fff, 0x8000, 0xfff8, 0xffff];
const etherTypes = [0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8864, 0x8863, 0x0806, 0x0026, 0x05ff];
const protocols = [0, 1, 2, 6, 17, 43, 44, 50, 51, 58, 59, 60, 132, 135, 139, 140, 255];
const extensions = [0, 43, 44, 51, 60, 135, 139, 140];
const linkTypes = [0, 1, 12, 14, 101, 108, 113, 147, 228, 229, 276, 65_535];

type FrameDamage = (frame: TimedFrame, random: SeededRandom, others: readonly TimedFrame[]) => TimedFrame;

/** One to three kinds of damage, one after the other. `others` lend their bytes to a splice. */
export function mutateFrame(frame: TimedFrame, random: SeededRandom, others: readonly TimedFrame[]): TimedFrame {
  let mutated = frame;
  for (let turn = random.between(1, 3); turn > 0; turn--) mutated = random.pick(damages)(mutated, random, others);
  return mutated;
}

const damages: readonly FrameDamage[] = [
  changed((bytes, random) => {
    for (let turn = random.between(1, 8); turn > 0; turn--) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  }),
  changed((bytes, random) => {
    bytes[random.below(bytes.length)] = random.pick(oddBytes);
  }),
  cut,
  cut,
  grow,
  changed((bytes, random, linkType) => {
    const { etherTypeAt } = layersOf(bytes, linkType);
    if (etherTypeAt >= 0) putWord(bytes, etherTypeAt, random.chance(0.9) ? random.pick(etherTypes) : random.u32());
  }),
  insertTags,
  changed(damageIpv4),
  changed(damageIpv4),
  changed(damageIpv6),
  insertExtensions,
  insertExtensions,
  changed(damageTransport),
  changed(damageTransport),
  changed(sameEnds),
  splice,
  (frame, random) => ({ ...frame, linkType: random.pick(linkTypes) }),
  (frame, random) => ({ ...frame, wireLength: oddWireLength(frame.frame.length, random) }),
];

function changed(change: (bytes: Uint8Array, random: SeededRandom, linkType: number) => void): FrameDamage {
  return (frame, random) => {
    if (frame.frame.length === 0) return frame;
    const bytes = Uint8Array.from(frame.frame);
    change(bytes, random, frame.linkType ?? 1);
    return { ...frame, frame: bytes };
  };
}

/** Anywhere, or at the edge of a header. The wire length stays what it was. */
function cut(frame: TimedFrame, random: SeededRandom): TimedFrame {
  const { ipAt, transportAt } = layersOf(frame.frame, frame.linkType ?? 1);
  const edge = random.pick([
    14,
    ipAt,
    ipAt + 20,
    ipAt + 40,
    transportAt,
    transportAt + 4,
    transportAt + 8,
    transportAt + 16,
  ]);
  const at = random.chance(0.5) ? edge + random.between(-1, 1) : random.below(frame.frame.length);
  const length = Math.min(Math.max(at, 0), frame.frame.length);
  return { ...frame, frame: frame.frame.slice(0, length), wireLength: frame.wireLength ?? frame.frame.length };
}

function grow(frame: TimedFrame, random: SeededRandom): TimedFrame {
  const more = random.bytes(random.between(1, 64));
  return { ...frame, frame: Uint8Array.from([...frame.frame, ...more]) };
}

function insertTags(frame: TimedFrame, random: SeededRandom): TimedFrame {
  const { etherTypeAt } = layersOf(frame.frame, frame.linkType ?? 1);
  if (etherTypeAt < 0 || etherTypeAt > frame.frame.length) return frame;
  const tags = Array.from({ length: random.between(1, 6) }, () => [
    ...random.pick([
      [0x81, 0],
      [0x88, 0xa8],
      [0x91, 0],
    ]),
    random.below(256),
    random.below(256),
  ]).flat();
  return { ...frame, frame: inserted(frame.frame, etherTypeAt, tags) };
}

function damageIpv4(bytes: Uint8Array, random: SeededRandom, linkType: number): void {
  const { ipAt, family } = layersOf(bytes, linkType);
  if (family !== 4) return;
  random.pick([
    () => put(bytes, ipAt, (random.below(16) << 4) | (bytes[ipAt]! & 15)),
    () => put(bytes, ipAt, 0x40 | random.below(16)),
    () => putWord(bytes, ipAt + 2, random.chance(0.7) ? random.pick(oddWords) : random.u32()),
    () => putWord(bytes, ipAt + 6, random.pick([0, 1, 0x2000, 0x3fff, 0x1fff, 0x4000, 0xe000, random.u32()])),
    () => put(bytes, ipAt + 9, random.pick(protocols)),
  ])();
}

function damageIpv6(bytes: Uint8Array, random: SeededRandom, linkType: number): void {
  const { ipAt, family } = layersOf(bytes, linkType);
  if (family !== 6) return;
  random.pick([
    () => putWord(bytes, ipAt + 4, random.chance(0.7) ? random.pick(oddWords) : random.u32()),
    () => put(bytes, ipAt + 6, random.pick(protocols)),
    () => put(bytes, ipAt + 40, random.pick(protocols)),
    () => put(bytes, ipAt + 41, random.pick(oddBytes)),
  ])();
}

/** A chain that is long, loops, claims too much, or begins in the middle of a fragment. */
function insertExtensions(frame: TimedFrame, random: SeededRandom): TimedFrame {
  const { ipAt, family } = layersOf(frame.frame, frame.linkType ?? 1);
  if (family !== 6 || ipAt + 40 > frame.frame.length) return frame;
  const bytes = Uint8Array.from(frame.frame);
  const chain = Array.from({ length: random.between(1, 10) }, () => random.pick(extensions));
  const next = [...chain.slice(1), bytes[ipAt + 6]!];
  put(bytes, ipAt + 6, chain[0]!);
  const headers = chain.flatMap((_, index) => {
    const size = random.chance(0.8) ? random.pick([0, 0, 1]) : random.pick(oddBytes);
    const offset = random.chance(0.8) ? [0, 0] : [random.below(256), random.below(256)];
    return [next[index]!, size, ...offset, ...Array.from({ length: size === 1 ? 12 : 4 }, () => 0)];
  });
  return { ...frame, frame: inserted(bytes, ipAt + 40, headers) };
}

function damageTransport(bytes: Uint8Array, random: SeededRandom, linkType: number): void {
  const { transportAt } = layersOf(bytes, linkType);
  if (transportAt < 0) return;
  random.pick([
    () => put(bytes, transportAt + 12, (random.below(16) << 4) | random.below(16)),
    () => put(bytes, transportAt + 13, random.below(256)),
    () => put(bytes, transportAt + 13, random.pick([0, 1, 2, 4, 16, 17, 18, 20])),
    () => putWord(bytes, transportAt + 14, random.pick(oddWords)),
    () => putWord(bytes, transportAt + random.pick([0, 2, 4]), random.pick(oddWords)),
  ])();
}

/** A packet from an end to itself. */
function sameEnds(bytes: Uint8Array, _random: SeededRandom, linkType: number): void {
  const { ipAt, family, transportAt } = layersOf(bytes, linkType);
  if (family === 0) return;
  const size = family === 4 ? 4 : 16;
  const source = ipAt + (family === 4 ? 12 : 8);
  if (transportAt + 4 > bytes.length) return;
  bytes.copyWithin(source + size, source, source + size);
  bytes.copyWithin(transportAt + 2, transportAt, transportAt + 2);
}

function splice(frame: TimedFrame, random: SeededRandom, others: readonly TimedFrame[]): TimedFrame {
  const other = random.pick(others).frame;
  const head = frame.frame.subarray(0, random.below(frame.frame.length + 1));
  const tail = other.subarray(random.below(other.length + 1));
  return { ...frame, frame: Uint8Array.from([...head, ...tail]) };
}

function oddWireLength(captured: number, random: SeededRandom): number {
  return random.pick([
    0,
    1,
    Math.max(captured - 1, 0),
    captured + 1,
    65_535,
    65_549,
    maxWireBytes,
    random.below(maxWireBytes),
  ]);
}

function inserted(bytes: Uint8Array, at: number, more: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...bytes.subarray(0, at), ...more, ...bytes.subarray(at)]);
}

function put(bytes: Uint8Array, at: number, value: number): void {
  if (at >= 0 && at < bytes.length) bytes[at] = value;
}

function putWord(bytes: Uint8Array, at: number, value: number): void {
  put(bytes, at, value >>> 8);
  put(bytes, at + 1, value);
}
