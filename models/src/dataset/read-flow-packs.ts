/** Packs of labelled flows, as `range extract` writes them: training without root and without hours of capture. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { cutWindows } from './cut-windows.ts';
import { decodeFlowPack } from './flow-pack.ts';
import type { Dataset } from './flow-rows.ts';
import { PackHashes } from './pack-hashes.ts';

/**
 * Every `.flows` file in the folder and those below it. The source is the folder's name, or of a folder `flows` that above it.
 * @throws Error that names the pack where one cannot be read, or is not what the manifest of its folder says.
 */
export function readFlowPacks(folder: string, into: Dataset): void {
  const path = resolve(folder);
  const source = basename(basename(path) === 'flows' ? dirname(path) : path);
  const packs = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.flows'))
    .sort();
  if (packs.length === 0) throw new Error(`${folder} holds no .flows file`);
  const hashes = PackHashes.in(path);
  for (const name of packs) {
    const pack = join(path, name);
    const bytes = readFileSync(pack);
    hashes.check(pack, bytes);
    cutWindows(decodeFlowPack(bytes, pack), source, into);
  }
}
