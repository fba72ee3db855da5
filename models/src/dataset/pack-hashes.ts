/**
 * What `manifest.json` says that packs are: the columns of a pack hold no checksum of their own, and most single bytes that a
 * disk or a download changes would be read as other flows.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';

const Listed = z.array(z.looseObject({ file: z.string(), pack_sha256: z.string() }));

export class PackHashes {
  readonly #manifest: string;
  /** By absolute path. */
  readonly #hashes: ReadonlyMap<string, string>;

  private constructor(manifest: string, hashes: ReadonlyMap<string, string>) {
    this.#manifest = manifest;
    this.#hashes = hashes;
  }

  /**
   * As the manifest in the folder lists them, or else the one in the folder above, for `flows/train` alone. Where neither
   * is, as beside packs that were copied without it, nothing is known of any pack.
   * @throws Error where the manifest cannot be read.
   */
  static in(folder: string): PackHashes {
    const path = [folder, dirname(resolve(folder))].map((at) => resolve(at, 'manifest.json')).find(existsSync);
    if (path === undefined) return new PackHashes('', new Map());
    const listed = listedIn(path);
    return new PackHashes(path, new Map(listed.map((entry) => [join(dirname(path), entry.file), entry.pack_sha256])));
  }

  /** @throws Error where the manifest lists another pack under this path. */
  check(path: string, bytes: Uint8Array): void {
    const listed = this.#hashes.get(resolve(path));
    if (listed === undefined) return;
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found === listed) return;
    throw new Error(
      `${path} is damaged, or was replaced: ${this.#manifest} lists SHA-256 ${listed}, and it has ${found}; fetch it again; if it was replaced on purpose, delete the manifest, and range repack writes it anew`,
    );
  }
}

/** A manifest of something else lists no packs. */
function listedIn(path: string): z.infer<typeof Listed> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} is no JSON: delete it, and range repack writes it anew`, { cause: error });
  }
  if (!Array.isArray(value)) return [];
  const { data, error } = Listed.safeParse(value);
  if (data === undefined) throw new Error(`${path} is no manifest of packs: ${z.prettifyError(error)}`);
  return data;
}
