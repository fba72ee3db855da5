/**
 * Bundles that came from the controller, on disk by the hash of their manifest: a restart without a controller serves what
 * served before. A bundle is here whole or not at all; it is verified again whenever it is opened.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleReference } from '@picket/shared/contract/model-manifest';

const incoming = '.incoming-';

export class BundleStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder, and removes what a crash left half-done. Throws where the folder cannot be used. */
  static open(folder: string): BundleStore {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder))
      if (name.startsWith(incoming)) rmSync(join(folder, name), { recursive: true, force: true });
    return new BundleStore(folder);
  }

  /** Where this bundle lies, whether it does or not. */
  folderOf({ manifest_sha256 }: BundleReference): string {
    return join(this.#folder, manifest_sha256);
  }

  has(bundle: BundleReference): boolean {
    return existsSync(this.folderOf(bundle));
  }

  /** Keeps the files under one name once all of them are written. */
  save(bundle: BundleReference, files: ReadonlyMap<string, Uint8Array>): void {
    const temporary = join(this.#folder, `${incoming}${bundle.manifest_sha256}`);
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { mode: 0o700 });
    for (const [name, bytes] of files) writeFileSync(join(temporary, name), bytes, { flush: true });
    rmSync(this.folderOf(bundle), { recursive: true, force: true });
    renameSync(temporary, this.folderOf(bundle));
  }

  remove(bundle: BundleReference): void {
    rmSync(this.folderOf(bundle), { recursive: true, force: true });
  }

  /** Removes every other bundle. */
  keepOnly(bundles: readonly BundleReference[]): void {
    const kept = new Set(bundles.map(({ manifest_sha256 }) => manifest_sha256));
    for (const name of readdirSync(this.#folder))
      if (!kept.has(name)) rmSync(join(this.#folder, name), { recursive: true, force: true });
  }
}
