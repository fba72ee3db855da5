import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CompactSign, calculateJwkThumbprint, type JWK } from 'jose';
import { bundleTyp, type BundleReference } from '@picket/shared/contract/model-manifest';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type BundleError } from './bundle-error.ts';
import { readBundleTrust, shippedOnly, type BundleTrust } from './bundle-trust.ts';
import { openModelBundle } from './model-bundle.ts';
import { shippedBundleFolder, shippedManifestSha256 } from './shipped-bundle.ts';

vi.setConfig({ testTimeout: 120_000 });

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-bundle-'));
  await cp(shippedBundleFolder, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Change the manifest, and vouch for the result. */
async function changeManifest(change: (manifest: Record<string, unknown>) => void): Promise<BundleTrust> {
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  change(manifest);
  const bytes = Buffer.from(JSON.stringify(manifest));
  await writeFile(path, bytes);
  return { manifests: [sha256(bytes)], keys: [] };
}

/** Replace a graph, with a manifest that agrees and is vouched for: only the look inside can refuse it. */
async function replaceGraph(bytes: Buffer): Promise<BundleTrust> {
  await writeFile(join(folder, 'detect.onnx'), bytes);
  return changeManifest((manifest) => {
    (manifest['files'] as Record<string, string>)['detect.onnx'] = sha256(bytes);
  });
}

async function refusal(trust: BundleTrust = shippedOnly, expected?: BundleReference): Promise<string> {
  const error = (await openModelBundle(folder, trust, expected).then(
    () => undefined,
    (reason: unknown) => reason,
  )) as BundleError | undefined;
  expect(error?.message ?? 'the bundle was accepted').toMatch(/^model bundle refused: ./);
  return error!.refusal;
}

test('the shipped bundle opens, here and wherever it is copied to', async () => {
  const { manifest, graphs, manifestSha256, vouchedBy } = await openModelBundle(folder);
  expect(vouchedBy).toBe('shipped');
  expect(manifestSha256).toBe(shippedManifestSha256);
  expect(manifest.threshold).toBeGreaterThan(0);
  expect(Object.values(graphs).every((graph) => graph.length < 1_000_000)).toBe(true);
});

describe('a bundle is refused, with the reason,', () => {
  test('when a file is missing', async () => {
    await unlink(join(folder, 'explain.onnx'));
    expect(await refusal()).toBe('missing-file');
    await unlink(join(folder, 'manifest.json'));
    expect(await refusal()).toBe('missing-file');
  });

  test('when the manifest is not one', async () => {
    await writeFile(join(folder, 'manifest.json'), '{');
    expect(await refusal()).toBe('bad-manifest');
    await writeFile(join(folder, 'manifest.json'), '{"format":1}');
    expect(await refusal()).toBe('bad-manifest');
  });

  test('when nobody vouches for its manifest', async () => {
    await changeManifest((manifest) => (manifest['threshold'] = 1));
    expect(await refusal()).toBe('untrusted');
  });

  test('when one bit of a graph differs', async () => {
    const bytes = await readFile(join(folder, 'detect.onnx'));
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(join(folder, 'detect.onnx'), bytes);
    expect(await refusal()).toBe('hash-mismatch');
  });

  test('when it was trained on other features', async () => {
    expect(await refusal(await changeManifest((manifest) => (manifest['feature_schema_hash'] = '0'.repeat(64))))).toBe(
      'wrong-schema',
    );
    expect(await refusal(await changeManifest((manifest) => (manifest['feature_profile'] = 'cic2017')))).toBe(
      'wrong-schema',
    );
  });

  test('when it was taught another flow context; one that says nothing of it was taught the first', async () => {
    expect(await refusal(await changeManifest((manifest) => (manifest['flow_context'] = 1_000)))).toBe('wrong-schema');
    expect(await refusal(await changeManifest((manifest) => delete manifest['flow_context']))).toBe('wrong-schema');
  });

  test('when its classes or windows are not ours', async () => {
    expect(await refusal(await changeManifest((manifest) => (manifest['window_length'] = 20)))).toBe('wrong-shape');
    expect(
      await refusal(
        await changeManifest((manifest) => {
          manifest['window_length'] = 10;
          manifest['classes'] = ['benign', 'port_scan'];
        }),
      ),
    ).toBe('wrong-shape');
  });

  test('when a graph is larger than any of ours could be', async () => {
    await truncate(join(folder, 'detect.onnx'), 17 * 2 ** 20);
    expect(await refusal()).toBe('oversized');
  });

  test('when a graph uses an operator that none of ours does', async () => {
    const bytes = await readFile(join(folder, 'detect.onnx'));
    bytes.write('Loop', bytes.indexOf('Conv'));
    expect(await refusal(await replaceGraph(bytes))).toBe('foreign-operator');
  });

  test('when a file is no file but something to wait for', async () => {
    await unlink(join(folder, 'explain.onnx'));
    execFileSync('mkfifo', [join(folder, 'explain.onnx')]);
    expect(await refusal()).toBe('missing-file');
  });

  test('when a graph lacks what an agent feeds it or reads', async () => {
    const bytes = await readFile(join(folder, 'detect.onnx'));
    bytes.write('scorez', bytes.lastIndexOf('scores'));
    expect(await refusal(await replaceGraph(bytes))).toBe('wrong-shape');
  });

  test('when a graph wants another set of operators', async () => {
    const model = Buffer.concat([field(7, Buffer.alloc(0)), field(8, Buffer.from([0x10, 99]))]);
    expect(await refusal(await replaceGraph(model))).toBe('foreign-operator');
  });

  test('when a stored tensor announces more than it holds', async () => {
    const tensor = Buffer.concat([Buffer.from([0x08, 0xa0, 0xc2, 0x1e]), field(8, 'w'), field(9, 'four')]); // 500,000
    const model = Buffer.concat([field(7, field(5, tensor)), field(8, Buffer.from([0x10, 17]))]);
    expect(await refusal(await replaceGraph(model))).toBe('unreadable-graph');
  });

  test('when an input has a dimension beyond all bounds', async () => {
    const dimension = Buffer.from([0x08, 0x80, 0x80, 0x80, 0x80, 0x10]);
    const type = field(1, field(2, field(1, dimension)));
    const model = Buffer.concat([
      field(7, field(11, Buffer.concat([field(1, 'windows'), field(2, type)]))),
      field(8, Buffer.from([0x10, 17])),
    ]);
    expect(await refusal(await replaceGraph(model))).toBe('oversized');
  });

  test('when a graph holds functions', async () => {
    const bytes = await readFile(join(folder, 'detect.onnx'));
    expect(await refusal(await replaceGraph(Buffer.concat([bytes, field(25, '')])))).toBe('forbidden-content');
  });

  test('when a graph takes numbers from another file', async () => {
    const location = Buffer.concat([field(1, 'location'), field(2, '/etc/passwd')]);
    const tensor = Buffer.concat([Buffer.from([0x08, 4, 0x10, 1]), field(8, 'w'), field(13, location)]);
    const model = Buffer.concat([field(7, field(5, tensor)), field(8, Buffer.from([0x10, 17]))]);
    expect(await refusal(await replaceGraph(model))).toBe('forbidden-content');
  });

  test('when a graph announces a tensor beyond all bounds', async () => {
    const tensor = Buffer.concat([Buffer.from([0x08, 0xff, 0xff, 0xff, 0xff, 0x0f]), field(8, 'w')]);
    const model = Buffer.concat([field(7, field(5, tensor)), field(8, Buffer.from([0x10, 17]))]);
    expect(await refusal(await replaceGraph(model))).toBe('oversized');
  });

  test('when a graph is no graph, wherever it breaks off', async () => {
    const bytes = await readFile(join(folder, 'detect.onnx'));
    for (const length of [1, 5, 40, 1000, bytes.length - 1]) {
      expect(await refusal(await replaceGraph(bytes.subarray(0, length)))).toBe('unreadable-graph');
    }
  });
});

describe('a bundle that somebody else made', () => {
  const owner = generateKeyPairSync('ed25519');
  const stranger = generateKeyPairSync('ed25519');
  let reference: BundleReference;

  beforeEach(async () => {
    await changeManifest((manifest) => {
      manifest['version'] = 'hall-7';
      manifest['threshold'] = 0.8;
    });
    reference = { version: 'hall-7', manifest_sha256: sha256(await readFile(join(folder, 'manifest.json'))) };
  });

  const jwkOf = (key: KeyObject): JWK => key.export({ format: 'jwk' });
  const trustOwner = (): Promise<BundleTrust> => readBundleTrust([], [jwkOf(owner.publicKey)]);

  async function sign(
    payload: object = { ...reference, signed_at: new Date().toISOString() },
    { key = owner, typ = bundleTyp }: { key?: typeof owner; typ?: string } = {},
  ): Promise<void> {
    const kid = await calculateJwkThumbprint(jwkOf(key.publicKey));
    const jws = await new CompactSign(Buffer.from(JSON.stringify(payload)))
      .setProtectedHeader({ alg: 'EdDSA', typ, kid })
      .sign(key.privateKey);
    await writeFile(join(folder, 'signature.jws'), `${jws}\n`);
  }

  test('opens where a trusted key signed it', async () => {
    await sign();
    const bundle = await openModelBundle(folder, await trustOwner(), reference);
    expect(bundle.manifest.threshold).toBe(0.8);
    expect(bundle.vouchedBy).toBe(await calculateJwkThumbprint(jwkOf(owner.publicKey)));
  });

  test('opens for a key that the owner names, as a file or as it is', async () => {
    await sign();
    const { x } = jwkOf(owner.publicKey);
    const pem = join(folder, 'key.pem');
    await writeFile(pem, owner.publicKey.export({ format: 'pem', type: 'spki' }));
    const jwk = join(folder, 'key.json');
    await writeFile(jwk, JSON.stringify(jwkOf(owner.publicKey)));
    for (const named of [x!, pem, jwk]) {
      const { manifest } = await openModelBundle(folder, await readBundleTrust([named]));
      expect(manifest.version).toBe('hall-7');
    }
    await expect(readBundleTrust([join(folder, 'manifest.json')])).rejects.toThrow(/Ed25519/);
    await expect(readBundleTrust(['/nowhere'])).rejects.toThrow(/cannot read the trusted key/);
  });

  test('is refused without a signature, and with a stranger’s', async () => {
    expect(await refusal(await trustOwner())).toBe('untrusted');
    await sign(undefined, { key: stranger });
    expect(await refusal(await trustOwner())).toBe('untrusted');
    await sign();
    expect(await refusal(shippedOnly)).toBe('untrusted');
  });

  test('is refused where the signature was made for something else', async () => {
    await sign({ ...reference, manifest_sha256: '0'.repeat(64), signed_at: new Date().toISOString() });
    expect(await refusal(await trustOwner())).toBe('bad-signature');
    await sign({ ...reference, version: 'hall-8', signed_at: new Date().toISOString() });
    expect(await refusal(await trustOwner())).toBe('bad-signature');
    await sign(undefined, { typ: 'picket-policy+jws' });
    expect(await refusal(await trustOwner())).toBe('bad-signature');
    await writeFile(join(folder, 'signature.jws'), 'nonsense');
    expect(await refusal(await trustOwner())).toBe('bad-signature');
  });

  test('is refused where one bit of the signature differs', async () => {
    await sign();
    const jws = await readFile(join(folder, 'signature.jws'));
    const at = jws.length - 20;
    jws[at] = jws[at] === 65 ? 66 : 65;
    await writeFile(join(folder, 'signature.jws'), jws);
    expect(await refusal(await trustOwner())).toBe('bad-signature');
  });

  test('is refused in the place of another, however well it is signed: an old one cannot come back', async () => {
    await sign();
    const wanted = { version: 'hall-8', manifest_sha256: 'f'.repeat(64) };
    expect(await refusal(await trustOwner(), wanted)).toBe('wrong-bundle');
  });
});

/** A length-delimited protobuf field; lengths below 128. */
function field(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const tag = (number << 3) | 2;
  return Buffer.concat([
    Buffer.from(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]),
    Buffer.from([bytes.length]),
    bytes,
  ]);
}
