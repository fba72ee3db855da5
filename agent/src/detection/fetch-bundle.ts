/**
 * Brings a bundle file by file, each under its own bound and checked before the next is asked for: an answer that is not
 * what was wanted ends it at once. Where the bytes come from is the caller's.
 */
import { createHash } from 'node:crypto';
import type { BundleReference } from '@picket/shared/contract/model-manifest';
import {
  bundleFiles,
  checkBundleFile,
  maxBundleBytes,
  maxBundleFileBytes,
  maxManifestBytes,
  maxSignatureBytes,
  readManifest,
} from '@picket/shared/policy/check-bundle';
import { BundleError, refusedBy } from './bundle-error.ts';
import { checkSignature, type BundleTrust } from './bundle-trust.ts';

/** Rejects where the file cannot be had now; a longer answer than `maxBytes` is cut off and rejects. */
export type FetchBundleFile = (name: string, maxBytes: number) => Promise<Uint8Array>;

/** All files by name. Throws BundleError for a bundle that is not to be had, and what `fetch` rejects with. */
export async function fetchBundle(
  wanted: BundleReference,
  trust: BundleTrust,
  fetch: FetchBundleFile,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const manifestBytes = await fetch('manifest.json', maxManifestBytes);
  const found = sha256(manifestBytes);
  if (found !== wanted.manifest_sha256)
    throw new BundleError(
      'wrong-bundle',
      `manifest.json has SHA-256 ${found}, but ${wanted.version} with ${wanted.manifest_sha256} is wanted`,
    );
  const manifest = refusedBy(() => readManifest(manifestBytes));
  if (manifest.version !== wanted.version)
    throw new BundleError('wrong-bundle', `manifest.json is of ${manifest.version}, but ${wanted.version} is wanted`);
  files.set('manifest.json', manifestBytes);
  const signature = await fetch('signature.jws', maxSignatureBytes);
  await checkSignature(
    Buffer.from(signature).toString('utf8').trim(),
    { version: manifest.version, sha256: found },
    trust,
  );
  files.set('signature.jws', signature);
  let total = 0;
  for (const name of bundleFiles(manifest)) {
    const bytes = await fetch(name, maxBundleFileBytes);
    total += bytes.length;
    if (total > maxBundleBytes)
      throw new BundleError('oversized', `the files of ${manifest.version} have more than ${maxBundleBytes} bytes`);
    refusedBy(() => checkBundleFile(manifest, name, bytes, sha256(bytes)));
    files.set(name, bytes);
  }
  return files;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
