/**
 * Opens a model bundle, trusting nothing in it: who vouches for it, whether every byte is what the manifest says,
 * whether it reads the features as we extract them, and whether its graphs hold only operators of ours. What comes out
 * may be handed to onnxruntime.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import { featureSchemaHash, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { z } from 'zod';
import { BundleError } from './bundle-error.ts';
import { checkGraph } from './check-graph.ts';
import { shippedManifestSha256 } from './shipped-bundle.ts';

export interface ModelBundle {
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly manifestSha256: string;
  readonly graphs: Readonly<Record<GraphName, Buffer>>;
}

const graphNames = ['detect.onnx', 'explain.onnx', 'train.onnx'] as const;
type GraphName = (typeof graphNames)[number];

const maxGraphBytes = 64 * 2 ** 20;
const maxManifestBytes = 2 ** 20;

/** Manifests that need no further proof: the bundle that this agent ships with. */
const pinnedManifests: ReadonlySet<string> = new Set([shippedManifestSha256]);

/** Throws BundleError. `trusted` holds the SHA-256 of each manifest that is vouched for. */
export async function openModelBundle(folder: string, trusted = pinnedManifests): Promise<ModelBundle> {
  const manifestBytes = await readBounded(folder, 'manifest.json', maxManifestBytes);
  const manifestSha256 = sha256(manifestBytes);
  const manifest = parseManifest(manifestBytes);
  if (!trusted.has(manifestSha256)) {
    throw new BundleError(
      'untrusted',
      `${folder} (${manifest.version}) is not the bundle that this agent ships with, and nobody you trust vouches for it; ` +
        'remove model.bundle from the configuration to use the shipped one',
    );
  }
  checkMeaning(manifest);
  const graphs = {} as Record<GraphName, Buffer>;
  for (const name of graphNames) {
    const bytes = await readBounded(folder, name, maxGraphBytes);
    const found = sha256(bytes);
    if (found !== manifest.files[name]) {
      throw new BundleError('hash-mismatch', `${name} has SHA-256 ${found}, the manifest says ${manifest.files[name]}`);
    }
    checkGraph(name, bytes);
    graphs[name] = bytes;
  }
  return { folder, manifest, manifestSha256, graphs };
}

function parseManifest(bytes: Buffer): ModelManifest {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new BundleError('bad-manifest', 'manifest.json is not JSON');
  }
  const parsed = ModelManifest.safeParse(json);
  if (!parsed.success) throw new BundleError('bad-manifest', `manifest.json: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** The network must read what we extract and answer what we understand. */
function checkMeaning(manifest: ModelManifest): void {
  if (manifest.feature_schema_hash !== featureSchemaHash) {
    throw new BundleError(
      'wrong-schema',
      `it was trained on the feature schema ${manifest.feature_schema_hash}, this agent extracts ${featureSchemaHash}`,
    );
  }
  if (manifest.feature_profile !== 'fixed') {
    throw new BundleError(
      'wrong-schema',
      `feature profile ${manifest.feature_profile}, live traffic is extracted as fixed`,
    );
  }
  if (manifest.window_length !== windowLength) {
    throw new BundleError(
      'wrong-shape',
      `windows of ${manifest.window_length} flows, this agent keeps ${windowLength}`,
    );
  }
  if (manifest.classes.join() !== trafficClasses.join()) {
    throw new BundleError(
      'wrong-shape',
      `classes ${manifest.classes.join(', ')}, this agent knows ${trafficClasses.join(', ')}`,
    );
  }
}

async function readBounded(folder: string, name: string, most: number): Promise<Buffer> {
  const path = join(folder, name);
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new BundleError('missing-file', `cannot open ${path}: ${error.code ?? error.message}`);
  });
  try {
    const { size } = await file.stat();
    if (size > most) throw new BundleError('oversized', `${path} has ${size} bytes, more than ${most}`);
    const bytes = Buffer.alloc(size);
    await file.read(bytes, 0, size, 0);
    return bytes;
  } finally {
    await file.close();
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
