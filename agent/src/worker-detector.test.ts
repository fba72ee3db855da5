/** The detection thread may die; nobody may wait for it for ever then. */
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { shippedBundleFolder } from './detection/shipped-bundle.ts';
import { WorkerDetector } from './worker-detector.ts';

const batch = { count: 1, windows: new Float32Array(windowLength * featureCount), flowsSeen: new Uint8Array([1]) };

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
  await expect(detector.explain(batch.windows, 1)).rejects.toThrow(/detection has stopped/);
});

test('a bundle that is not there is refused', async () => {
  await expect(WorkerDetector.open('/nowhere/at/all')).rejects.toThrow(/nowhere/);
});
