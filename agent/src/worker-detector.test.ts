/** The detection thread may die; nobody may wait for it for ever then. */
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { unknownFlowContext } from '@picket/shared/features/flow-context';
import { shippedBundleFolder } from './detection/shipped-bundle.ts';
import { WorkerDetector } from './worker-detector.ts';

vi.setConfig({ testTimeout: 120_000 });

const features = new Float32Array(windowLength * featureCount);
const flowContext = unknownFlowContext(1);
const batch = { count: 1, windows: features, flowsSeen: new Uint8Array([1]), flowContext };

test('when the thread ends, calls under way and later ones say so', async () => {
  const posting = vi.spyOn(Worker.prototype, 'postMessage');
  onTestFinished(() => posting.mockRestore());
  await using detector = await WorkerDetector.open(shippedBundleFolder);
  expect((await detector.detect(batch)).scores).toHaveLength(1);
  const thread = posting.mock.contexts.at(-1);
  if (!(thread instanceof Worker)) throw new Error('the detector has no thread');
  const ending = thread.terminate(); // first, so that the call cannot be answered before
  await expect(detector.detect(batch)).rejects.toThrow(/detection has stopped.*start the agent again/);
  await ending;
  await expect(detector.explain({ features, flowsSeen: 1, flowContext })).rejects.toThrow(/detection has stopped/);
});

test('a bundle that is not there is refused', async () => {
  await expect(WorkerDetector.open('/nowhere/at/all')).rejects.toThrow(/nowhere/);
});
