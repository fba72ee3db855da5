import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeFlowPack, encodeFlowPack } from '../src/dataset/flow-pack.ts';
import { plainPack, smallPack } from '../src/dataset/testing/small-pack.ts';
import { writeManifest } from './extract.ts';
import { differenceOf, repack } from './repack.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'repack-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, bytes: Uint8Array): void => writeFileSync(join(folder, name), bytes);
const repacked = (): Promise<void> => repack(folder, () => undefined, new AbortController().signal);

test('packs of an older format hold the same in the newest one, and the manifest lists them as they are now', async () => {
  write('a.flows', plainPack(2));
  write('b.flows', encodeFlowPack(smallPack));
  await writeManifest(folder);
  await repacked();
  for (const name of ['a.flows', 'b.flows']) {
    expect(decodeFlowPack(readFileSync(join(folder, name)))).toEqual(smallPack);
  }
  await repacked();
});

test('where one pack cannot be rewritten it is named with its column, and none is replaced', async () => {
  const old = plainPack(2);
  write('a.flows', old);
  write('b.flows', plainPack(2, { ...smallPack, lastUs: smallPack.lastUs.map((time) => time + 0.5) }));
  await expect(repacked()).rejects.toThrow(`${join(folder, 'b.flows')} is damaged: lastUs of row 0 is `);
  expect(readFileSync(join(folder, 'a.flows'))).toEqual(old);
  expect(readdirSync(folder)).toEqual(['a.flows', 'b.flows']);
});

test('a pack that is not what the manifest lists is not rewritten, and so not made right by it', async () => {
  write('a.flows', plainPack(2));
  await writeManifest(folder);
  write('a.flows', plainPack(2, { ...smallPack, port: Uint16Array.of(22, 1884, 65_535) }));
  await expect(repacked()).rejects.toThrow(`${join(folder, 'a.flows')} is damaged, or was replaced`);
});

test('the difference of two packs is told by the first column and row that differ by a bit', () => {
  expect(differenceOf(smallPack, { ...smallPack, header: { ...smallPack.header, format: 1 } })).toBeUndefined();
  expect(differenceOf(smallPack, { ...smallPack, header: { ...smallPack.header, seed: 8 } })).toBe('the header');
  expect(differenceOf(smallPack, { ...smallPack, port: Uint16Array.of(22, 1883, 80) })).toBe('port of row 2');
  const features = smallPack.features.map((value, index) => (index === 78 + 17 ? -value : value));
  expect(differenceOf(smallPack, { ...smallPack, features })).toBe('Flow IAT Std of row 1');
});
