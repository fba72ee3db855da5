/**
 * What a model bundle must be before anybody loads it, sends it or signs it. Gateways and controller hold the same rules,
 * so that an upload is refused for the reason a gateway would give. Hashes are handed in: nothing here does I/O.
 */
import { z } from 'zod';
import { ModelManifest, type BundleFile } from '../contract/model-manifest.ts';
import { featureSchemaHash, windowLength } from '../features/feature-schema.ts';
import { flowContextVersion } from '../features/flow-context.ts';
import { trafficClasses } from '../features/traffic-classes.ts';
import { BundleFault } from './bundle-fault.ts';
import { checkGraph } from './check-graph.ts';

export const maxManifestBytes = 256 * 1024;
export const maxSignatureBytes = 8 * 1024;
/** Of any other file. Shipped graphs have a tenth of a megabyte. */
export const maxBundleFileBytes = 16 * 2 ** 20;
/** Of all files together. */
export const maxBundleBytes = 32 * 2 ** 20;

/** Throws BundleFault. What it returns can be read by this build, and its network understands what we extract. */
export function readManifest(bytes: Uint8Array): ModelManifest {
  if (bytes.length > maxManifestBytes)
    throw new BundleFault('oversized', `manifest.json has ${bytes.length} bytes, more than ${maxManifestBytes}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new BundleFault('bad-manifest', 'manifest.json is not JSON');
  }
  const parsed = ModelManifest.safeParse(json);
  if (!parsed.success) throw new BundleFault('bad-manifest', `manifest.json: ${z.prettifyError(parsed.error)}`);
  checkMeaning(parsed.data);
  return parsed.data;
}

/** Throws BundleFault where this file is not what the manifest says, or a graph that no bundle may hold. */
export function checkBundleFile(manifest: ModelManifest, name: BundleFile, bytes: Uint8Array, sha256: string): void {
  if (bytes.length > maxBundleFileBytes)
    throw new BundleFault('oversized', `${name} has ${bytes.length} bytes, more than ${maxBundleFileBytes}`);
  const expected = manifest.files[name];
  if (expected === undefined) throw new BundleFault('bad-manifest', `${name} is not in the manifest`);
  if (sha256 !== expected)
    throw new BundleFault('hash-mismatch', `${name} has SHA-256 ${sha256}, the manifest says ${expected}`);
  if (name.endsWith('.onnx')) checkGraph(name, bytes);
}

/** Every file that the manifest names, in its order. */
export function bundleFiles(manifest: ModelManifest): readonly BundleFile[] {
  return Object.keys(manifest.files) as BundleFile[];
}

/** The network must read what we extract and answer what we understand. */
function checkMeaning(manifest: ModelManifest): void {
  if (manifest.feature_schema_hash !== featureSchemaHash) {
    throw new BundleFault(
      'wrong-schema',
      `manifest.json: it was trained on the feature schema ${manifest.feature_schema_hash}, this build extracts ${featureSchemaHash}`,
    );
  }
  if (manifest.feature_profile !== 'fixed') {
    throw new BundleFault(
      'wrong-schema',
      `manifest.json: feature profile ${manifest.feature_profile}, live traffic is extracted as fixed`,
    );
  }
  if (manifest.window_length !== windowLength) {
    throw new BundleFault(
      'wrong-shape',
      `manifest.json: windows of ${manifest.window_length} flows, this build keeps ${windowLength}`,
    );
  }
  if (manifest.flow_context !== flowContextVersion) {
    throw new BundleFault(
      'wrong-schema',
      `manifest.json: flow_context of version ${manifest.flow_context}, this build tells version ${flowContextVersion}: take the bundle that was built for this agent`,
    );
  }
  if (manifest.classes.join() !== trafficClasses.join()) {
    throw new BundleFault(
      'wrong-shape',
      `manifest.json: classes ${manifest.classes.join(', ')}, this build knows ${trafficClasses.join(', ')}`,
    );
  }
}
