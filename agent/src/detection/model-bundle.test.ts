import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BundleError } from './bundle-error.ts';
import { openModelBundle } from './model-bundle.ts';
import { shippedBundleFolder, shippedManifestSha256 } from './shipped-bundle.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-bundle-'));
  await cp(shippedBundleFolder, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Change the manifest, and vouch for the result. */
async function changeManifest(change: (manifest: Record<string, unknown>) => void): Promise<ReadonlySet<string>> {
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  change(manifest);
  const bytes = Buffer.from(JSON.stringify(manifest));
  await writeFile(path, bytes);
  return new Set([sha256(bytes)]);
}

/** Replace a graph, with a manifest that agrees and is vouched for: only the look inside can refuse it. */
async function replaceGraph(bytes: Buffer): Promise<ReadonlySet<string>> {
  await writeFile(join(folder, 'detect.onnx'), bytes);
  return changeManifest((manifest) => {
    (manifest['files'] as Record<string, string>)['detect.onnx'] = sha256(bytes);
  });
}

async function refusal(trusted?: ReadonlySet<string>): Promise<string> {
  const error = (await openModelBundle(folder, trusted).then(
    () => undefined,
    (reason: unknown) => reason,
  )) as BundleError | undefined;
  expect(error?.message ?? 'the bundle was accepted').toMatch(/^model bundle refused: ./);
  return error!.refusal;
}

test('the shipped bundle opens, here and wherever it is copied to', async () => {
  const { manifest, graphs, manifestSha256 } = await openModelBundle(folder);
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
    await truncate(join(folder, 'detect.onnx'), 65 * 2 ** 20);
    expect(await refusal()).toBe('oversized');
  });

  test('when a graph uses an operator that none of ours does', async () => {
    const bytes = await readFile(join(folder, 'detect.onnx'));
    bytes.write('Loop', bytes.indexOf('Conv'));
    expect(await refusal(await replaceGraph(bytes))).toBe('foreign-operator');
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
