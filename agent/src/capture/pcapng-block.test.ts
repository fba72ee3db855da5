/** Options and clocks of a pcapng interface, from bytes that nobody vouches for. */
import { expect, test } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { latestUs } from './packet-source.ts';
import { type CaptureInterface, readInterface, timeOf } from './pcapng-block.ts';

const margin = 64;

/** An interface block of any options: true lengths, lengths that lie, no end. */
function hostileBlock(random: SeededRandom): Uint8Array {
  const options = Array.from({ length: random.below(8) }, () => {
    const size = random.pick([0, 1, 3, 7, 8, 9, 200, 65_535]);
    const content = [...random.bytes(random.chance(0.8) ? Math.min(size + (-size & 3), 40) : random.below(12))];
    return [random.pick([0, 1, 2, 9, 9, 14, 14, 65_535]), size, content] as const;
  });
  const body = options.flatMap(([code, size, content]) => [code & 255, code >> 8, size & 255, size >> 8, ...content]);
  return Uint8Array.from([...random.bytes(16), ...body, ...random.bytes(4 + (-body.length & 3))]);
}

/** The block among bytes that are not its own. */
function read(block: Uint8Array, filler: number, littleEndian: boolean): CaptureInterface {
  const bytes = new Uint8Array(block.length + 2 * margin).fill(filler);
  bytes.set(block, margin);
  return readInterface(new DataView(bytes.buffer), margin, block.length, littleEndian);
}

test('whatever the options claim, nothing behind the block is read and every value is in range', () => {
  const random = new SeededRandom(11);
  for (let turn = 0; turn < 20_000; turn++) {
    const block = hostileBlock(random);
    const littleEndian = random.chance(0.5);
    const found = read(block, 0, littleEndian);
    expect(read(block, 0xff, littleEndian)).toEqual(found);
    expect(found.decimalDigits).toBeLessThan(128);
    expect(found.binaryDigits ?? 0).toBeLessThan(128);
    expect(Number.isInteger(found.offsetSeconds)).toBe(true);
  }
});

test('a time stamp is the whole µs of its units, and stays within time', () => {
  const random = new SeededRandom(12);
  let within = 0;
  for (let turn = 0; turn < 20_000; turn++) {
    const source: CaptureInterface = {
      linkType: 1,
      snapLength: 0,
      decimalDigits: random.chance(0.7) ? random.pick([0, 3, 6, 7, 9, 12, 13]) : random.below(128),
      binaryDigits: random.chance(0.3) ? random.below(128) : undefined,
      offsetSeconds: random.pick([0, 0, 3600, -7200, 1_700_000_000, -(2 ** 63), 2 ** 63]),
    };
    const [high, low] = [random.chance(0.6) ? random.below(0x7_0000) : random.u32(), random.u32()];
    const found = timeOf(source, high, low);
    expect(Number.isSafeInteger(found) && found >= 0 && found <= latestUs).toBe(true);
    const perSecond =
      source.binaryDigits === undefined ? 10n ** BigInt(source.decimalDigits) : 2n ** BigInt(source.binaryDigits);
    const us = (((BigInt(high) << 32n) | BigInt(low)) * 1_000_000n) / perSecond;
    const exact = us + BigInt(source.offsetSeconds) * 1_000_000n;
    const isPlain = us <= BigInt(latestUs) && Math.abs(source.offsetSeconds) < 2 ** 40;
    if (!isPlain) continue;
    within++;
    expect(BigInt(found)).toBe(exact < 0n ? 0n : exact > BigInt(latestUs) ? BigInt(latestUs) : exact);
  }
  expect(within).toBeGreaterThan(5000);
});
