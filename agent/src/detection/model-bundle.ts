/**
 * Opens a model bundle, trusting nothing in it: who vouches for it, whether every byte is what the manifest says,
 * whether it reads the features as we extract them, and whether its graphs hold only operators of ours. What comes out
 * may be handed to onnxruntime; a bundle that nobody shipped goes through the probe first.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleFile, BundleReference, ModelManifest } from '@picket/shared/contract/model-manifest';
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
import { checkSignature, shippedOnly, type BundleTrust } from './bundle-trust.ts';

export interface ModelBundle {
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly manifestSha256: string;
  /** Of a pinned bundle, `shipped`; otherwise the thumbprint of the key that signed it. */
  readonly vouchedBy: string;
  readonly graphs: Readonly<Record<GraphName, Buffer>>;
}

const graphNames = ['detect.onnx', 'explain.onnx', 'train.onnx'] as const satisfies readonly BundleFile[];
type GraphName = (typeof graphNames)[number];

/** Throws BundleError, which names the file and the reason. `expected`: refuse any other bundle, however well signed. */
export async function openModelBundle(
  folder: string,
  trust: BundleTrust = shippedOnly,
  expected?: BundleReference,
): Promise<ModelBundle> {
  const manifestBytes = await readBounded(folder, 'manifest.json', maxManifestBytes);
  const manifestSha256 = sha256(manifestBytes);
  if (expected !== undefined && manifestSha256 !== expected.manifest_sha256) {
    throw new BundleError(
      'wrong-bundle',
      `manifest.json has SHA-256 ${manifestSha256}, but ${expected.version} with ${expected.manifest_sha256} is wanted`,
    );
  }
  const manifest = refusedBy(() => readManifest(manifestBytes));
  const vouchedBy = trust.manifests.includes(manifestSha256)
    ? 'shipped'
    : await signerOf(folder, { version: manifest.version, sha256: manifestSha256 }, trust);
  const graphs = {} as Record<GraphName, Buffer>;
  let total = 0;
  for (const name of bundleFiles(manifest)) {
    const bytes = await readBounded(folder, name, maxBundleFileBytes);
    total += bytes.length;
    if (total > maxBundleBytes)
      throw new BundleError('oversized', `the files of ${manifest.version} have more than ${maxBundleBytes} bytes`);
    refusedBy(() => checkBundleFile(manifest, name, bytes, sha256(bytes)));
    if (isGraph(name)) graphs[name] = bytes;
  }
  return { folder, manifest, manifestSha256, vouchedBy, graphs };
}

/** The bundle by name and hash. */
export function referenceOf({
  manifest,
  manifestSha256,
}: Pick<ModelBundle, 'manifest' | 'manifestSha256'>): BundleReference {
  return { version: manifest.version, manifest_sha256: manifestSha256 };
}

async function signerOf(
  folder: string,
  manifest: { readonly version: string; readonly sha256: string },
  trust: BundleTrust,
): Promise<string> {
  const jws = await readBounded(folder, 'signature.jws', maxSignatureBytes).catch((error: unknown) => {
    if (!(error instanceof BundleError) || error.refusal !== 'missing-file') throw error;
    throw new BundleError(
      'untrusted',
      `${folder} (${manifest.version}) is not the bundle that this agent ships with, and it has no signature.jws of ` +
        'anybody you trust; remove model.bundle from the configuration to use the shipped one',
    );
  });
  return (await checkSignature(jws.toString('utf8').trim(), manifest, trust)).kid;
}

function isGraph(name: BundleFile): name is GraphName {
  return (graphNames as readonly string[]).includes(name);
}

/** Regular files only: nothing here may wait for a pipe or read a device. */
async function readBounded(folder: string, name: string, most: number): Promise<Buffer> {
  const path = join(folder, name);
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw new BundleError('missing-file', `cannot open ${path}: ${error.code ?? error.message}`);
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new BundleError('missing-file', `${path} is not a file`);
    if (status.size > most) throw new BundleError('oversized', `${path} has ${status.size} bytes, more than ${most}`);
    const bytes = Buffer.alloc(status.size);
    for (let filled = 0; filled < bytes.length;) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) throw new BundleError('missing-file', `${path} became shorter while it was read`);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
