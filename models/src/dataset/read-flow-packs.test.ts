import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeManifest } from '../../range/extract.ts';
import { encodeFlowPack } from './flow-pack.ts';
import { emptyDataset } from './flow-rows.ts';
import { readFlowPacks } from './read-flow-packs.ts';
import { smallPack } from './testing/small-pack.ts';

/** One of the three flows is between two devices, and is a row of either. */
const rowsOfPack = 4;
let folder: string;
let pack: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flow-packs-'));
  pack = join(folder, 'train', 'farm.flows');
  mkdirSync(join(folder, 'train'));
  writeFileSync(pack, encodeFlowPack(smallPack));
  await writeManifest(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

function rowsIn(at: string): number {
  const dataset = emptyDataset();
  readFlowPacks(at, dataset);
  return dataset.rows.count;
}

test('every pack of a folder is read, those of a part of it alone, and one that no manifest lists', () => {
  writeFileSync(join(folder, 'of-a-friend.flows'), encodeFlowPack(smallPack));
  expect(rowsIn(folder)).toBe(2 * rowsOfPack);
  expect(rowsIn(join(folder, 'train'))).toBe(rowsOfPack);
  rmSync(join(folder, 'manifest.json'));
  expect(rowsIn(folder)).toBe(2 * rowsOfPack);
});

test('a pack in which one bit is another, wherever, is refused by name: beside its manifest, and in the folder below', () => {
  const whole = readFileSync(pack);
  for (let at = 0; at < whole.length; at += 7) {
    const flipped = Buffer.from(whole);
    flipped[at]! ^= 1 << (at % 8);
    writeFileSync(pack, flipped);
    const damaged = `${pack} is damaged, or was replaced: ${join(folder, 'manifest.json')} lists SHA-256 `;
    expect(() => rowsIn(at % 2 === 0 ? folder : join(folder, 'train'))).toThrow(damaged);
  }
});

test('a manifest that cannot be read is no manifest that says nothing', () => {
  const manifest = join(folder, 'manifest.json');
  writeFileSync(manifest, '[{"file": "train/farm.flows"}]');
  expect(() => rowsIn(folder)).toThrow(`${manifest} is no manifest of packs`);
  writeFileSync(manifest, readFileSync(pack).subarray(0, 40));
  expect(() => rowsIn(folder)).toThrow(`${manifest} is no JSON`);
  writeFileSync(manifest, '{"name": "of something else"}');
  expect(rowsIn(folder)).toBe(rowsOfPack);
});
