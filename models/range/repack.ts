/** Packs of an older format, rewritten in place in the newest one. */
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import { type FlowPack, decodeFlowPack, encodeFlowPack } from '../src/dataset/flow-pack.ts';
import { PackHashes } from '../src/dataset/pack-hashes.ts';
import { writeManifest } from './extract.ts';

/**
 * Every pack below the folder, then its manifest. None is replaced before all are written beside the old ones.
 * @throws Error that names pack and column, where one cannot be read, is not what the manifest says, or would not come back
 *   as it is.
 */
export async function repack(folder: string, log: (line: string) => void, signal: AbortSignal): Promise<void> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.flows')).sort();
  if (names.length === 0) throw new Error(`${folder} holds no .flows file`);
  const hashes = PackHashes.in(folder);
  const paths = names.map((name) => join(folder, name));
  let before = 0;
  let after = 0;
  try {
    for (const path of paths) {
      signal.throwIfAborted();
      const bytes = await readFile(path);
      hashes.check(path, bytes);
      const packed = repacked(bytes, path);
      await writeFile(`${path}.new`, packed);
      before += bytes.length;
      after += packed.length;
    }
    for (const path of paths) await rename(`${path}.new`, path);
  } finally {
    for (const path of paths) await rm(`${path}.new`, { force: true });
  }
  await writeManifest(folder);
  log(`${names.length} packs: ${before} bytes before, ${after} now`);
}

function repacked(bytes: Buffer, path: string): Buffer {
  const pack = decodeFlowPack(bytes, path);
  const packed = encodeFlowPack(pack, path);
  const changed = differenceOf(pack, decodeFlowPack(packed, `${path}, repacked,`));
  if (changed !== undefined) throw new Error(`${path} would not come back as it is: ${changed} would be another`);
  return packed;
}

/** The first value that is not the same to the bit, by column and row; of the header all but the format. */
export function differenceOf(one: FlowPack, other: FlowPack): string | undefined {
  const { header, ...columns } = one;
  if (!isDeepStrictEqual({ ...header, format: 0 }, { ...other.header, format: 0 })) return 'the header';
  for (const column of Object.keys(columns) as (keyof typeof columns)[]) {
    const [here, there] = [bytesOf(one[column]), bytesOf(other[column])];
    if (here.equals(there)) continue;
    const at = Math.floor(here.findIndex((byte, index) => byte !== there[index]) / one[column].BYTES_PER_ELEMENT);
    if (column !== 'features') return `${column} of row ${at}`;
    return `${featureNames[at % featureCount]} of row ${Math.floor(at / featureCount)}`;
  }
  return undefined;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray<ArrayBuffer>): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
