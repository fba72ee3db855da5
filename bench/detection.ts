/**
 * Windows per second that the shipped bundle scores on one thread, alone and in batches, and milliseconds per
 * explanation. JSON on stdout.
 */
import { loadavg } from 'node:os';
import { featureCount, windowLength } from '../shared/src/features/feature-schema.ts';
import type { WindowBatch } from '../agent/src/detection/detector.ts';
import { openModelBundle } from '../agent/src/detection/model-bundle.ts';
import { OnnxDetector } from '../agent/src/detection/onnx-detector.ts';
import { shippedBundleFolder } from '../agent/src/detection/shipped-bundle.ts';

const secondsEach = 2;
const windowSize = windowLength * featureCount;

await using detector = await OnnxDetector.open(await openModelBundle(shippedBundleFolder));

/** Calls per second, after a tenth of the time to warm up. */
async function rateOf(call: () => Promise<unknown>): Promise<number> {
  for (const startedAt = performance.now(); performance.now() - startedAt < secondsEach * 100;) await call();
  const startedAt = performance.now();
  let calls = 0;
  while (performance.now() - startedAt < secondsEach * 1000) {
    await call();
    calls += 1;
  }
  return (calls * 1000) / (performance.now() - startedAt);
}

function batchOf(count: number): WindowBatch {
  return {
    count,
    windows: Float32Array.from({ length: count * windowSize }, (_, index) => (index * 7919) % 10_007),
    flowsSeen: new Uint8Array(count).fill(windowLength),
  };
}

const windowsPerSecond: Record<string, number> = {};
for (const count of [1, 16, 256]) {
  const batch = batchOf(count);
  windowsPerSecond[`batch_${count}`] = Math.round(count * (await rateOf(() => detector.detect(batch))));
}
const { windows } = batchOf(1);
const explanations = await rateOf(() => detector.explain(windows, windowLength));
console.log(
  JSON.stringify(
    {
      bundle: detector.manifest.version,
      windows_per_second: windowsPerSecond,
      explain_ms: Number((1000 / explanations).toFixed(2)),
      load: loadavg()[0],
    },
    null,
    2,
  ),
);
