/** A model is changed while traffic flows, and a bad one changes nothing. Real bundles, threads, probes and files. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import type { BundleReference } from '@picket/shared/contract/model-manifest';
import type { Prediction } from '@picket/shared/contract/prediction';
import { flowContextSize } from '@picket/shared/features/flow-context';
import { bundleFiles } from '@picket/shared/policy/check-bundle';
import { BundleStore } from './detection/bundle-store.ts';
import { DeviceRegistry } from './devices/device-registry.ts';
import { Pipeline } from './pipeline.ts';
import { ServingModel } from './serving-model.ts';
import { createTestSigner, memoryBomb, writeTestBundle, type TestSigner } from './testing/bundle-builder.ts';
import { flowBatchOf } from './testing/flow-rows.ts';
import { BundleFollower } from './twin/follow-bundle.ts';
import { Verdicts } from './verdict/decide-verdicts.ts';
import { DeviceWindows } from './window/device-windows.ts';

const log = pino({ level: 'silent' });
let place: string;
let signer: TestSigner;
let model: ServingModel;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'picket-serving-'));
  signer = await createTestSigner();
  model = await ServingModel.open({ ownBundle: null, ownThreshold: null, trust: signer.trust, log });
});
afterEach(async () => {
  await model[Symbol.asyncDispose]();
  await rm(place, { recursive: true });
});

const startUs = 1_700_000_000_000_000;

function pipelineOf(onPrediction: (prediction: Prediction) => void): Pipeline {
  const bootId = newId() as BootId;
  const pipeline = new Pipeline({
    mayExplain: () => true,
    bootId,
    source: 'live',
    registry: new DeviceRegistry(),
    windows: new DeviceWindows({ source: 'live' }),
    detector: model.detector,
    verdicts: new Verdicts({ bootId }),
    threshold: model.threshold,
    output: {
      onFlow: () => undefined,
      onDevice: () => undefined,
      onPrediction,
      onAlert: () => undefined,
      propose: () => undefined,
    },
  });
  model.attach(pipeline);
  return pipeline;
}

test(
  'under load no window is lost and none is judged twice, however often the model changes',
  { timeout: 400_000 },
  async () => {
    const own = model.reference.version;
    const references: BundleReference[] = [];
    for (const version of ['hall-1', 'hall-2'])
      references.push(
        await writeTestBundle(join(place, version), signer, {
          version,
          manifest: { threshold: version === 'hall-1' ? 0.6 : 0.7 },
        }),
      );
    const predictions: Prediction[] = [];
    const pipeline = pipelineOf((prediction) => predictions.push(prediction));
    const devices = 200;
    let sent = 0;
    /** One flow for each device, half a second of packet time after the last: each makes a window due. */
    const sendRound = (): void => {
      const flows = Array.from({ length: devices }, (_, device) => ({
        src: '203.0.113.5',
        dst: `192.168.${Math.floor(device / 250)}.${1 + (device % 250)}`,
        flowNumber: sent + device,
        lastPacketAtUs: startUs + (sent / devices) * 500_000,
      }));
      sent += devices;
      void pipeline.add(flowBatchOf(flows));
    };
    const over = new AbortController();
    const traffic = (async () => {
      while (!over.signal.aborted) {
        sendRound();
        sendRound();
        await new Promise((resolve) => setImmediate(resolve));
        await pipeline.advance(0); // never more than a few rounds wait
      }
    })();
    for (let change = 0; change < 6; change++) {
      const reference = references[change % 2]!;
      await model.serve(join(place, reference.version), reference, signer.trust);
      const { length } = predictions;
      await vi.waitFor(() => expect(predictions.length).toBeGreaterThan(length + 2 * devices), { timeout: 60_000 });
    }
    over.abort();
    await traffic;
    await pipeline.finish();

    expect(predictions).toHaveLength(sent);
    expect(new Set(predictions.map(({ device, at }) => `${device.address} ${at}`)).size).toBe(sent);
    expect(pipeline.counters).toMatchObject({ predictions: sent, dropped: 0 });
    const order = predictions.map(({ model_version }) => model_version);
    const runs = order.filter((version, index) => version !== order[index - 1]);
    expect(runs).toEqual([own, 'hall-1', 'hall-2', 'hall-1', 'hall-2', 'hall-1', 'hall-2'].slice(-runs.length));
    expect(runs.length).toBeGreaterThanOrEqual(6);
    const thresholds: Readonly<Record<string, number>> = { 'hall-1': 0.6, 'hall-2': 0.7 };
    for (const { model_version, threshold } of predictions)
      if (model_version in thresholds) expect(threshold).toBe(thresholds[model_version]);
    expect(model.swaps).toBe(6);
  },
);

test('the threshold in force: policy before setting before bundle, also across a change', async () => {
  const reference = await writeTestBundle(join(place, 'hall-1'), signer, {
    version: 'hall-1',
    manifest: { threshold: 0.6 },
  });
  const pipeline = pipelineOf(() => undefined);
  model.usePolicyThreshold(0.5);
  expect(pipeline.threshold).toBe(0.5);
  await model.serve(join(place, 'hall-1'), reference, signer.trust);
  expect(pipeline.threshold).toBe(0.5);
  model.usePolicyThreshold(null);
  expect(pipeline.threshold).toBe(0.6);
});

describe('the bundle that the policy names', { timeout: 240_000 }, () => {
  let store: BundleStore;
  let follower: BundleFollower;
  let source: string;
  let fetched: string[];
  let failures: number;

  beforeEach(() => {
    store = BundleStore.open(join(place, 'store'));
    fetched = [];
    failures = 0;
    follower = follow();
  });
  afterEach(() => follower[Symbol.asyncDispose]());

  function follow(): BundleFollower {
    return new BundleFollower({
      store,
      trust: () => Promise.resolve(signer.trust),
      serving: model,
      fetchFile: async (_, name) => {
        if (failures-- > 0) throw new Error('the door is closed');
        fetched.push(name);
        return readFile(join(source, name));
      },
      onChanged: () => undefined,
      log,
      retryMs: 20,
    });
  }

  async function offer(version: string, graphs: Readonly<Record<string, Buffer>> = {}): Promise<BundleReference> {
    source = join(place, version);
    return writeTestBundle(source, signer, { version, graphs });
  }

  const reaches = (step: string): Promise<void> =>
    vi.waitFor(() => expect(follower.reported.step).toBe(step), { timeout: 60_000, interval: 5 });

  test('is fetched, verified, tried and served; and given up again', async () => {
    const own = model.reference;
    const reference = await offer('hall-1');
    follower.want(reference);
    expect(follower.reported).toMatchObject({ desired: reference, active: own, step: 'received' });
    await reaches('verified');
    expect(follower.reported).toEqual({ desired: reference, active: reference, step: 'verified', detail: null });
    expect(fetched).toEqual(['manifest.json', 'signature.jws', ...bundleFiles(model.detector.manifest)]);
    follower.want(undefined);
    await reaches('verified');
    expect(follower.reported).toEqual({ desired: null, active: own, step: 'verified', detail: null });
    expect(store.has(reference)).toBe(false);
  });

  test('serves again after a restart with no controller in reach', async () => {
    const reference = await offer('hall-1');
    follower.want(reference);
    await reaches('verified');
    await follower[Symbol.asyncDispose]();
    await model.serveOwn();
    fetched = [];
    failures = Number.POSITIVE_INFINITY;
    store = BundleStore.open(join(place, 'store'));
    follower = follow();
    follower.want(reference);
    await reaches('verified');
    expect(model.reference).toEqual(reference);
    expect(fetched).toEqual([]);
  });

  test('is asked for again while it cannot be had', async () => {
    failures = 3;
    follower.want(await offer('hall-1'));
    await reaches('failed');
    expect(follower.reported.detail).toMatch(/the door is closed; trying again/);
    await reaches('verified');
    expect(follower.refused).toBe(0);
  });

  test('is refused where it hurts the process that tries it; the one before serves on', async () => {
    const sound = await offer('hall-1');
    follower.want(sound);
    await reaches('verified');
    const bomb = await offer('bomb-1', { 'detect.onnx': memoryBomb() });
    follower.want(bomb);
    await reaches('refused');
    expect(follower.reported).toMatchObject({ desired: bomb, active: sound });
    expect(follower.reported.detail).toMatch(/memory/);
    expect([store.has(bomb), store.has(sound)]).toEqual([false, true]);
    expect(
      (
        await model.detector.detect({
          count: 1,
          windows: new Float32Array(780),
          flowsSeen: Uint8Array.of(1),
          flowContext: new Float32Array(flowContextSize),
        })
      ).scores,
    ).toHaveLength(1);
  });

  test('is refused where an older one, signed as well, is given in its place', async () => {
    const own = model.reference;
    await offer('hall-1');
    const wanted = { version: 'hall-2', manifest_sha256: 'b'.repeat(64) };
    follower.want(wanted);
    await reaches('refused');
    expect(follower.reported.detail).toMatch(/manifest.json has SHA-256 .* but hall-2 .* is wanted/);
    expect(fetched).toEqual(['manifest.json']);
    expect(model.reference).toEqual(own);
  });

  test('is refused where its signature is a stranger’s', async () => {
    const reference = await offer('hall-1');
    signer = await createTestSigner();
    follower.want(reference);
    await reaches('refused');
    expect(follower.reported.detail).toMatch(/does not trust/);
    expect(follower.refused).toBe(1);
  });

  test('gives way to the next one while it is being tried', async () => {
    const second = await offer('hall-2');
    const first = await offer('hall-1');
    follower.want(first);
    // looked at between any two things that happen here, so before the process that tries it is heard
    await vi.waitFor(
      () => {
        expect(store.has(first)).toBe(true);
        source = join(place, 'hall-2');
        follower.want(second);
      },
      { timeout: 60_000, interval: 1 },
    );
    await vi.waitFor(() => expect(follower.reported).toMatchObject({ desired: second, step: 'verified' }), {
      timeout: 60_000,
    });
    expect(model.reference).toEqual(second);
    expect(model.swaps).toBe(1);
  });
});
