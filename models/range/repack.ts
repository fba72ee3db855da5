/** Packs of an older format, rewritten in place in the newest one. */
import { readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type FlowPack, decodeFlowPack, encodeFlowPack } from '../src/dataset/flow-pack.ts';
import { writeManifest } from './extract.ts';

/**
 * Every pack below the folder, then its manifest. Throws before a pack is replaced by one that does not hold the same, and
 * where one cannot be read; those before it are rewritten by then.
 */
export async function repack(folder: string, log: (line: string) => void, signal: AbortSignal): Promise<void> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.flows')).sort();
  if (names.length === 0) throw new Error(`${folder} holds no .flows file`);
  let before = 0;
  let after = 0;
  for (const name of names) {
    signal.throwIfAborted();
    const path = join(folder, name);
    const bytes = await readFile(path);
    const pack = decodeFlowPack(bytes, path);
    const packed = encodeFlowPack(pack);
    if (!isSame(pack, decodeFlowPack(packed, path))) throw new Error(`${path} would not come back as it is`);
    await writeFile(`${path}.new`, packed);
    await rename(`${path}.new`, path);
    before += bytes.length;
    after += packed.length;
  }
  await writeManifest(folder);
  log(`${names.length} packs: ${before} bytes before, ${after} now`);
}

/** To the bit, but for the format. */
export function isSame(one: FlowPack, other: FlowPack): boolean {
  const { header, ...columns } = one;
  if (!isDeepStrictEqual({ ...header, format: 0 }, { ...other.header, format: 0 })) return false;
  return (Object.keys(columns) as (keyof typeof columns)[]).every((key) =>
    bytesOf(one[key]).equals(bytesOf(other[key])),
  );
}

const bytesOf = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray<ArrayBuffer>): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
