/** Packs of labelled flows, as `range extract` writes them: training without root and without hours of capture. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { cutWindows } from './cut-windows.ts';
import { decodeFlowPack } from './flow-pack.ts';
import type { Dataset } from './flow-rows.ts';

/** Every `.flows` file in the folder and those below it. The source is the folder's name, or of a folder `flows` that above it. */
export function readFlowPacks(folder: string, into: Dataset): void {
  const path = resolve(folder);
  const source = basename(basename(path) === 'flows' ? dirname(path) : path);
  const packs = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.flows'))
    .sort();
  if (packs.length === 0) throw new Error(`${folder} holds no .flows file`);
  for (const name of packs) {
    const pack = join(path, name);
    cutWindows(decodeFlowPack(readFileSync(pack), pack), source, into);
  }
}
