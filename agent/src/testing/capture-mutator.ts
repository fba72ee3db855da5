/** Damage to capture files, aimed at what a reader trusts: lengths, types, clocks, interface numbers, options, the end. */
import { type CaptureFormat, type CaptureRecord, formatOf, recordsOf } from './capture-records.ts';
import type { SeededRandom } from './seeded-random.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type FileDamage = (bytes: Bytes, random: SeededRandom, other: Bytes) => Bytes;

const oddLengths = [
  0, 1, 3, 4, 8, 11, 12, 13, 16, 20, 28, 32, 65_535, 262_143, 262_144, 262_145, 524_288, 524_292, 0x7fffffff,
  0x80000000, 0xfffffffc, 0xffffffff,
];
const magics = [0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a, 0x1f8b0800, 0x28b52ffd, 0xa1b2cd34];
const blockTypes = [1, 2, 3, 4, 5, 6, 10, 0x0a0d0d0a, 0x0bad, 0x80000001, 0xffffffff];

/** One to six kinds of damage, one after the other. `other` lends its records to a splice. */
export function mutateCapture(sound: Bytes, random: SeededRandom, other: Bytes): Bytes {
  let bytes = sound;
  if (random.chance(0.01)) bytes = enlarge(bytes, random);
  for (let turn = random.between(1, 6); turn > 0; turn--) bytes = random.pick(damages)(bytes, random, other);
  return bytes;
}

const damages: readonly FileDamage[] = [
  edited((bytes, random) => {
    for (let turn = random.between(1, 20); turn > 0; turn--) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  }),
  edited((bytes, random) => {
    bytes[random.below(Math.min(bytes.length, 64))] = random.below(256);
  }),
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random) => withInserted(bytes, random.below(bytes.length + 1), random.bytes(random.between(1, 40))),
  onRecord((bytes, { start, end }) => Uint8Array.from([...bytes.subarray(0, start), ...bytes.subarray(end)])),
  onRecord((bytes, { start, end }) => withInserted(bytes, end, bytes.slice(start, end))),
  moveRecord,
  onRecord(damageLengths),
  onRecord(damageLengths),
  onRecord(damageLengths),
  onRecord(damageTimes),
  onRecord(damageTimes),
  onRecord(damageBlock),
  onRecord(damageBlock),
  onOptions,
  edited((bytes, random) => putU32(bytes, 0, random.pick(magics), false)),
  edited((bytes, random) =>
    putU32(bytes, 20, random.pick([0, 1, 101, 113, 147, 276, random.u32()]), bytes[0] !== 0xa1),
  ),
  turnByteOrder,
  insertBlocks,
  splice,
  splice,
];

function edited(edit: (bytes: Bytes, random: SeededRandom) => void): FileDamage {
  return (bytes, random) => {
    const copy = bytes.slice();
    if (copy.length > 0) edit(copy, random);
    return copy;
  };
}

type RecordDamage = (bytes: Bytes, record: CaptureRecord, random: SeededRandom, format: CaptureFormat) => Bytes;

/** On a copy of the bytes. */
function onRecord(damage: RecordDamage): FileDamage {
  return (bytes, random) => {
    const records = recordsOf(bytes);
    return records.length === 0 ? bytes : damage(bytes.slice(), random.pick(records), random, formatOf(bytes));
  };
}

function moveRecord(bytes: Bytes, random: SeededRandom): Bytes {
  const records = recordsOf(bytes);
  if (records.length < 2) return bytes;
  const { start, end } = random.pick(records);
  const to = random.pick(records).start;
  const moved = bytes.slice(start, end);
  const rest = Uint8Array.from([...bytes.subarray(0, start), ...bytes.subarray(end)]);
  return withInserted(rest, to > start ? to - moved.length : to, moved);
}

function damageLengths(bytes: Bytes, record: CaptureRecord, random: SeededRandom, format: CaptureFormat): Bytes {
  const { start, end, littleEndian } = record;
  const length = end - start;
  const odd = random.chance(0.7) ? random.pick(oddLengths) : length + random.between(-8, 8);
  if (format === 'pcap') {
    putU32(bytes, start + random.pick([8, 8, 12]), odd, littleEndian);
    return bytes;
  }
  const places = random.pick([[start + 4], [end - 4], [start + 4, end - 4], [start + 20], [start + 24]]);
  for (const place of places) putU32(bytes, place, odd, littleEndian);
  return bytes;
}

function damageTimes(bytes: Bytes, record: CaptureRecord, random: SeededRandom, format: CaptureFormat): Bytes {
  const at = record.start + (format === 'pcap' ? random.pick([0, 4]) : random.pick([12, 16]));
  putU32(bytes, at, random.pick([0, 1, 999_999, 1_000_000, 0x7fffffff, 0xffffffff, random.u32()]), record.littleEndian);
  return bytes;
}

function damageBlock(bytes: Bytes, record: CaptureRecord, random: SeededRandom, format: CaptureFormat): Bytes {
  if (format !== 'pcapng') return bytes;
  const { start, littleEndian } = record;
  random.pick([
    () => putU32(bytes, start, random.pick(blockTypes), littleEndian),
    () => putU32(bytes, start + 8, random.pick([0, 1, 2, 3, 1024, 0xffff, 0xffffffff, 0x1a2b3c4d]), littleEndian),
    () => putU32(bytes, start + 8 + 4 * random.below(5), random.pick(oddLengths), littleEndian),
  ])();
  return bytes;
}

/** Codes and lengths of an interface's options, its clock and its offset. */
function onOptions(bytes: Bytes, random: SeededRandom): Bytes {
  const interfaces = recordsOf(bytes).filter(({ kind }) => kind === 'interface');
  if (interfaces.length === 0) return bytes;
  const copy = bytes.slice();
  const { start, end } = random.pick(interfaces);
  for (let turn = random.between(1, 6); turn > 0; turn--) {
    const at = start + 8 + random.below(Math.max(1, end - start - 12));
    copy[at] = random.pick([0, 1, 4, 8, 9, 14, 0x7f, 0x80, 0x8a, 0xff]);
  }
  return copy;
}

/** The file header's or a section's byte order alone, so that everything behind it is read the other way. */
function turnByteOrder(bytes: Bytes, random: SeededRandom): Bytes {
  const headers = recordsOf(bytes).filter(({ kind }) => kind === 'header');
  if (headers.length === 0) return bytes;
  const copy = bytes.slice();
  const at = random.pick(headers).start + (formatOf(bytes) === 'pcap' ? 0 : 8);
  copy.subarray(at, at + 4).reverse();
  return copy;
}

/** Blocks that are skipped (some longer than any buffer), and interfaces without end. */
function insertBlocks(bytes: Bytes, random: SeededRandom): Bytes {
  const records = recordsOf(bytes);
  if (formatOf(bytes) !== 'pcapng' || records.length === 0) return bytes;
  const { end, littleEndian } = random.pick(records);
  const type = random.pick([1, 1, 4, 10, 0x0bad, 0x80000001]);
  const body = type === 1 ? 8 : 4 * random.below(30);
  const block = new Uint8Array(body + 12);
  putU32(block, 0, type, littleEndian);
  putU32(block, 4, random.chance(0.9) ? block.length : random.pick(oddLengths), littleEndian);
  putU32(block, body + 8, block.length, littleEndian);
  const count = random.chance(0.1) ? 1100 : random.between(1, 3);
  return withInserted(bytes, end, Uint8Array.from(Array.from({ length: count }, () => [...block]).flat()));
}

/** The head of one capture and the tail of another, cut between records or anywhere. */
function splice(bytes: Bytes, random: SeededRandom, other: Bytes): Bytes {
  const cut = (of: Bytes): number => {
    const records = recordsOf(of);
    if (records.length === 0 || random.chance(0.3)) return random.below(of.length + 1);
    return random.pick(records)[random.chance(0.5) ? 'start' : 'end'];
  };
  return Uint8Array.from([...bytes.subarray(0, cut(bytes)), ...other.subarray(cut(other))]);
}

/** Longer than any buffer, and of more packets than a chunk holds: the records over and over, or nothing but zeros. */
function enlarge(bytes: Bytes, random: SeededRandom): Bytes {
  const [first] = recordsOf(bytes);
  const large = new Uint8Array(random.between(1_000_000, 1_400_000));
  large.set(bytes.subarray(0, large.length));
  if (first === undefined || random.chance(0.2)) return large;
  const body = bytes.subarray(formatOf(bytes) === 'pcap' ? first.end : 0);
  for (let at = bytes.length; at + body.length < large.length && body.length > 0; at += body.length)
    large.set(body, at);
  return large;
}

function withInserted(bytes: Bytes, at: number, more: Uint8Array): Bytes {
  const result = new Uint8Array(bytes.length + more.length);
  result.set(bytes.subarray(0, at));
  result.set(more, at);
  result.set(bytes.subarray(at), at + more.length);
  return result;
}

function putU32(bytes: Uint8Array, at: number, value: number, littleEndian: boolean): void {
  if (at < 0 || at + 4 > bytes.length) return;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, littleEndian);
}
