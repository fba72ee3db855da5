/**
 * Windows per second that the shipped bundle scores on one thread, alone and in batches, and milliseconds per
 * explanation: of the attributions alone, and of all that an alert tells. Explanations in CPU time too, best and median of
 * several runs, for a busy machine. JSON on stdout.
 */
import { loadavg } from 'node:os';
import { featureCount, windowLength } from '../shared/src/features/feature-schema.ts';
import { flowContextSize, flowContextWidth } from '../shared/src/features/flow-context.ts';
import type { BootId } from '../shared/src/contract/identifiers.ts';
import { shippedOnly } from '../agent/src/detection/bundle-trust.ts';
import type { WindowBatch } from '../agent/src/detection/detector.ts';
import { openModelBundle } from '../agent/src/detection/model-bundle.ts';
import { OnnxDetector } from '../agent/src/detection/onnx-detector.ts';
import { probeBundle } from '../agent/src/detection/probe-bundle.ts';
import { scoredWindow } from '../agent/src/testing/scored-windows.ts';
import { explainWindow } from '../agent/src/verdict/explain-window.ts';
import { DeviceNormals } from '../agent/src/window/device-normal.ts';
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
    flowContext: Float32Array.from({ length: count * flowContextSize }, (_, index) => index % flowContextWidth),
  };
}

const windowsPerSecond: Record<string, number> = {};
for (const count of [1, 16, 64, 256]) {
  const batch = batchOf(count);
  windowsPerSecond[`batch_${count}`] = Math.round(count * (await rateOf(() => detector.detect(batch))));
}
/** CPU milliseconds per call in each of several runs: best and median. */
async function cpuOf(call: () => Promise<unknown>): Promise<{ readonly best: number; readonly median: number }> {
  const perCall: number[] = [];
  for (let run = 0; run < 9; run++) {
    const before = process.cpuUsage();
    for (let index = 0; index < 50; index++) await call();
    const { user, system } = process.cpuUsage(before);
    perCall.push((user + system) / 1000 / 50);
  }
  perCall.sort((a, b) => a - b);
  return { best: Number(perCall[0]!.toFixed(2)), median: Number(perCall[4]!.toFixed(2)) };
}

const { windows, flowContext } = batchOf(1);
const window = { features: windows, flowsSeen: windowLength, flowContext };
const explanations = await rateOf(() => detector.explain(window));
const { context } = scoredWindow({ at: 10, says: 'port_scan' });
const normals = new DeviceNormals();
normals.learn({ ...context, freshFlows: windowLength }, windows);
const attributionCpu = await cpuOf(() => detector.explain(window));
const explanationCpu = await cpuOf(async () =>
  explainWindow({
    context,
    attack: 'port_scan',
    features: windows,
    attributions: await detector.explain(window),
    normal: normals.of(context.device.address, detector.manifest.typical_flow),
    bootId: '019a0000-0000-7000-8000-0000000000aa' as BootId,
  }),
);
const probed = await probeBundle({ folder: shippedBundleFolder, trust: shippedOnly });
console.log(
  JSON.stringify(
    {
      bundle: detector.manifest.version,
      windows_per_second: windowsPerSecond,
      explain_ms: Number((1000 / explanations).toFixed(2)),
      explain_cpu_ms: { attributions: attributionCpu, everything: explanationCpu },
      probe: { took_ms: Math.round(probed.tookMs), peak_rss_mib: Math.round(probed.peakRssBytes / 2 ** 20) },
      load: loadavg()[0],
    },
    null,
    2,
  ),
);
