/** Bundles for tests: the shipped one with changes, signed by a key of the test. */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleTyp, type BundleReference } from '@picket/shared/contract/model-manifest';
import { CompactSign, calculateJwkThumbprint, type JWK } from 'jose';
import { readBundleTrust, type BundleTrust } from '../detection/bundle-trust.ts';
import { shippedBundleFolder } from '../detection/shipped-bundle.ts';
import { writeOnnx } from './onnx-writer.ts';

export interface TestSigner {
  readonly jwk: JWK;
  readonly trust: BundleTrust;
  sign(reference: BundleReference): Promise<string>;
}

/** Somebody with a key of his own, and the trust of whoever trusts him. */
export async function createTestSigner(): Promise<TestSigner> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = jwkOf(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    jwk,
    trust: await readBundleTrust([], [jwk]),
    sign: (reference) =>
      new CompactSign(Buffer.from(JSON.stringify({ ...reference, signed_at: new Date().toISOString() })))
        .setProtectedHeader({ alg: 'EdDSA', typ: bundleTyp, kid })
        .sign(privateKey),
  };
}

export interface TestBundle {
  readonly version: string;
  readonly graphs?: Readonly<Record<string, Buffer>>;
  readonly manifest?: Readonly<Record<string, unknown>>;
}

/** Writes the bundle into `folder`, which must not exist. Every hash fits, and the signature does. */
export async function writeTestBundle(
  folder: string,
  signer: TestSigner,
  bundle: TestBundle,
): Promise<BundleReference> {
  await cp(shippedBundleFolder, folder, { recursive: true });
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
    files: Record<string, string>;
  };
  for (const [name, bytes] of Object.entries(bundle.graphs ?? {})) {
    await writeFile(join(folder, name), bytes);
    manifest.files[name] = sha256(bytes);
  }
  const text = JSON.stringify({ ...manifest, ...bundle.manifest, version: bundle.version });
  await writeFile(join(folder, 'manifest.json'), text);
  const reference = { version: bundle.version, manifest_sha256: sha256(Buffer.from(text)) };
  await writeFile(join(folder, 'signature.jws'), await signer.sign(reference));
  return reference;
}

const windows = { windows: ['batch', 10, 78], flows_seen: ['batch'] } as const;
const answers = { scores: ['batch'], probabilities: ['batch', 11] } as const;

/** Only operators of ours, meek with one window, and 160 GB for 256: every number of the batch plus every other. */
export function memoryBomb(): Buffer {
  return writeOnnx({
    nodes: [
      { op: 'Reshape', inputs: ['windows', 'column'], outputs: ['tall'] },
      { op: 'Reshape', inputs: ['windows', 'row'], outputs: ['wide'] },
      { op: 'Add', inputs: ['tall', 'wide'], outputs: ['all'] },
      { op: 'ReduceSum', inputs: ['all', 'axis'], outputs: ['sums'] },
      { op: 'Reshape', inputs: ['sums', 'rows'], outputs: ['perWindow'] },
      { op: 'MatMul', inputs: ['perWindow', 'zeros'], outputs: ['logits'] },
      { op: 'Softmax', inputs: ['logits'], outputs: ['probabilities'] },
      { op: 'Sub', inputs: ['flows_seen', 'flows_seen'], outputs: ['scores'] },
    ],
    stored: [
      { name: 'column', shape: [2], integers: [-1, 1] },
      { name: 'row', shape: [2], integers: [1, -1] },
      { name: 'axis', shape: [1], integers: [1] },
      { name: 'rows', shape: [2], integers: [-1, 780] },
      { name: 'zeros', shape: [780, 11] },
    ],
    inputs: windows,
    outputs: answers,
  });
}

/** Thousands of multiplications of a million numbers: loads at once, and is busy for minutes. */
export function timeBomb(): Buffer {
  const rounds = 3000;
  return writeOnnx({
    nodes: [
      ...Array.from({ length: rounds }, (_, round) => ({
        op: 'MatMul',
        inputs: [round === 0 ? 'matrix' : `product${round - 1}`, 'matrix'],
        outputs: [`product${round}`],
      })),
      { op: 'Identity', inputs: [`product${rounds - 1}`], outputs: ['probabilities'] },
      { op: 'Identity', inputs: ['flows_seen'], outputs: ['scores'] },
    ],
    stored: [{ name: 'matrix', shape: [1000, 1000] }],
    inputs: windows,
    outputs: { scores: ['batch'], probabilities: [1000, 1000] },
  });
}

/** Loads and runs, and answers what no network of ours would. */
export function nonsenseGraph(): Buffer {
  return writeOnnx({
    nodes: [
      { op: 'Identity', inputs: ['flows_seen'], outputs: ['scores'] },
      { op: 'Reshape', inputs: ['windows', 'shape'], outputs: ['probabilities'] },
    ],
    stored: [{ name: 'shape', shape: [2], integers: [-1, 780] }],
    inputs: windows,
    outputs: { scores: ['batch'], probabilities: ['batch', 780] },
  });
}

function jwkOf(key: KeyObject): JWK {
  return key.export({ format: 'jwk' });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
