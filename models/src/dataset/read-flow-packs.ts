/** Packs of labelled flows, as `range extract` writes them: training without root and without hours of capture. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cutWindows } from './cut-windows.ts';
import { decodeFlowPack } from './flow-pack.ts';
import type { Dataset } from './flow-rows.ts';

/** Every `.flows` file in the folder and those below it. The source is `source`, or the folder's name. */
export function readFlowPacks(folder: string, into: Dataset, source = basename(folder)): void {
  const packs = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.flows'))
    .sort();
  if (packs.length === 0) throw new Error(`${folder} holds no .flows file`);
  for (const name of packs) {
    const path = join(folder, name);
    cutWindows(decodeFlowPack(readFileSync(path), path), source, into);
  }
}
