/** What a bundle does to the process that tries it, and to nobody else. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createTestSigner,
  memoryBomb,
  nonsenseGraph,
  timeBomb,
  writeTestBundle,
  type TestSigner,
} from '../testing/bundle-builder.ts';
import type { BundleError } from './bundle-error.ts';
import { shippedOnly } from './bundle-trust.ts';
import { openModelBundle } from './model-bundle.ts';
import { probeBundle, probeLimits, type ProbeLimits } from './probe-bundle.ts';
import { shippedBundleFolder } from './shipped-bundle.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A busy machine is no fault of the bundle's. */
const patient: ProbeLimits = { ...probeLimits, timeoutMs: 60_000 };

let place: string;
let folder: string;
let signer: TestSigner;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'picket-probe-'));
  folder = join(place, 'bundle');
  signer = await createTestSigner();
});
afterEach(() => rm(place, { recursive: true }));

async function refusalOf(limits: Partial<ProbeLimits> = {}): Promise<BundleError> {
  const error = await probeBundle({ folder, trust: signer.trust }, { ...patient, ...limits }).then(
    () => undefined,
    (reason: unknown) => reason as BundleError,
  );
  expect(error?.message ?? 'the bundle was accepted').toMatch(/^model bundle refused: ./);
  return error!;
}

test('a sound bundle comes through, in less than half of the memory it may take', async () => {
  const probed = await probeBundle({ folder: shippedBundleFolder, trust: shippedOnly }, patient);
  expect(probed.detectMs).toBeGreaterThan(0);
  if (process.platform === 'linux') expect(probed.peakRssBytes).toBeGreaterThan(20 * 2 ** 20);
  expect(probed.peakRssBytes).toBeLessThan(probeLimits.maxRssBytes / 2);
});

describe(
  'a bundle that is well signed and made of allowed operators is refused all the same',
  { timeout: 180_000 },
  () => {
    test.skipIf(process.platform !== 'linux')('when it takes all memory', async () => {
      await writeTestBundle(folder, signer, { version: 'bomb-1', graphs: { 'detect.onnx': memoryBomb() } });
      await expect(openModelBundle(folder, signer.trust)).resolves.toBeDefined(); // nothing in the file gives it away
      const before = process.memoryUsage.rss();
      const error = await refusalOf();
      expect(error.refusal).toBe('failed-probe');
      expect(error.message).toMatch(/MiB of memory when it was tried, more than 384/);
      expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 2 ** 20);
    });

    test('when it never gets ready', async () => {
      await writeTestBundle(folder, signer, { version: 'bomb-2', graphs: { 'detect.onnx': timeBomb() } });
      const error = await refusalOf({ timeoutMs: 4000 });
      expect(error.refusal).toBe('failed-probe');
      expect(error.message).toMatch(/not get ready within 4 s/);
    });

    test('when it answers nonsense', async () => {
      await writeTestBundle(folder, signer, { version: 'odd-1', graphs: { 'detect.onnx': nonsenseGraph() } });
      const error = await refusalOf();
      expect(error.refusal).toBe('failed-probe');
      expect(error.message).toMatch(/detect.onnx answers 1 scores and 780 probabilities for 1 windows/);
    });

    test('when onnxruntime cannot load it', async () => {
      const graph = nonsenseGraph();
      graph.write('flows_sink', graph.indexOf('flows_seen')); // a node reads what nobody makes
      await writeTestBundle(folder, signer, { version: 'odd-2', graphs: { 'detect.onnx': graph } });
      const error = await refusalOf();
      expect(error.refusal).toBe('failed-probe');
      expect(error.message).toMatch(/onnxruntime does not load its graphs/);
    });
  },
);

test('what the file itself says is refused in the same process, by the same name', async () => {
  await writeTestBundle(folder, signer, { version: 'hall-1' });
  await writeFile(join(folder, 'explain.onnx'), 'changed afterwards');
  expect((await refusalOf()).refusal).toBe('hash-mismatch');
});

test('a probe can be given up', async () => {
  await writeTestBundle(folder, signer, { version: 'bomb-2', graphs: { 'detect.onnx': timeBomb() } });
  const stop = new AbortController();
  const probing = probeBundle({ folder, trust: signer.trust }, probeLimits, stop.signal);
  stop.abort();
  await expect(probing).rejects.toThrow(/given up/);
});
