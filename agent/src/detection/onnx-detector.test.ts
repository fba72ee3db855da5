import { featureCount, features, windowLength } from '@picket/shared/features/feature-schema';
import { Explanation } from '@picket/shared/contract/prediction';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attribute } from './explain-prediction.ts';
import { openModelBundle } from './model-bundle.ts';
import { OnnxDetector } from './onnx-detector.ts';
import { shippedBundleFolder } from './shipped-bundle.ts';

const windowSize = windowLength * featureCount;
let detector: OnnxDetector;

beforeAll(async () => {
  detector = await OnnxDetector.open(await openModelBundle(shippedBundleFolder));
});
afterAll(() => detector[Symbol.asyncDispose]());

/** Numbers of every size, as hostile traffic could make them. */
function arbitraryWindows(count: number): Float32Array<ArrayBuffer> {
  let state = 42;
  return Float32Array.from({ length: count * windowSize }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % 3 === 0 ? 0 : Math.expm1((state / 2 ** 32) * 20);
  });
}

/** The same flow in every slot, told by feature names. */
function repeated(flow: Readonly<Record<string, number>>): Float32Array<ArrayBuffer> {
  const row = features.map(({ name }) => flow[name] ?? 0);
  return Float32Array.from({ length: windowSize }, (_, index) => row[index % featureCount]!);
}

test('scores are shares, rows sum to 1, and a score is what is not benign', async () => {
  const count = 300;
  const flowsSeen = Uint8Array.from({ length: count }, (_, index) => 1 + (index % windowLength));
  const { scores, probabilities } = await detector.detect({ count, windows: arbitraryWindows(count), flowsSeen });
  expect(scores).toHaveLength(count);
  for (let index = 0; index < count; index++) {
    const row = probabilities.subarray(index * trafficClasses.length, (index + 1) * trafficClasses.length);
    expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
    expect(scores[index]).toBeGreaterThanOrEqual(0);
    expect(scores[index]).toBeLessThanOrEqual(1);
    expect(scores[index]).toBeCloseTo(1 - row[0]!, 5);
  }
});

test('a window gets the same score alone, in a batch, and in a batch with room to spare', async () => {
  const windows = arbitraryWindows(3);
  const flowsSeen = Uint8Array.of(10, 3, 7);
  const together = await detector.detect({ count: 3, windows, flowsSeen });
  for (let index = 0; index < 3; index++) {
    const alone = await detector.detect({
      count: 1,
      windows: windows.slice(index * windowSize),
      flowsSeen: flowsSeen.slice(index),
    });
    expect(alone.scores).toHaveLength(1);
    expect(alone.scores[0]).toBeCloseTo(together.scores[index]!, 5);
  }
});

test('attributions add up to what the window adds to the logit of its score', async () => {
  const bundle = await openModelBundle(shippedBundleFolder);
  const session = await InferenceSession.create(bundle.graphs['explain.onnx'], { intraOpNumThreads: 1 });
  const windows = arbitraryWindows(6);
  for (let index = 0; index < 6; index++) {
    const window = windows.slice(index * windowSize, (index + 1) * windowSize);
    const flowsSeen = [10, 1, 5, 10, 2, 8][index]!;
    const ends = await attribute(session, window, flowsSeen, Float32Array.of(0, 1), Float32Array.of(0.5, 0.5));
    const difference = ends.logits[1]! - ends.logits[0]!;
    const { attributions } = await attribute(session, window, flowsSeen);
    const sum = attributions.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum - difference)).toBeLessThan(0.1 * Math.max(1, Math.abs(difference)));

    const { scores } = await detector.detect({ count: 1, windows: window, flowsSeen: Uint8Array.of(flowsSeen) });
    const score = 1 / (1 + Math.exp(-ends.logits[1]!));
    expect(score).toBeCloseTo(scores[0]!, 4);
  }
  await session.release();
});

test('an explanation names ten different features with their values, and only flows that are there', async () => {
  const window = arbitraryWindows(1);
  const explanation = await detector.explain(window, 4);
  expect(() => Explanation.parse(explanation)).not.toThrow();
  expect(new Set(explanation.top_features.map(({ feature }) => feature)).size).toBe(10);
  for (const { feature, value, flow_index, importance } of explanation.top_features) {
    expect(flow_index).toBeLessThan(4);
    expect(importance).not.toBe(0);
    const column = features.findIndex(({ name }) => name === feature);
    expect(window[(windowLength - 4 + flow_index) * featureCount + column]).toBe(value);
    expect(detector.manifest.masked_features).not.toContain(column);
  }
  expect(explanation.flow_importance).toHaveLength(4);
  expect(explanation.flow_importance.reduce((sum, share) => sum + Math.abs(share), 0)).toBeCloseTo(1, 5);
});

test('refused connections one after another are a scan; one sensor reading after another is not', async () => {
  const refused = repeated({
    'Flow Duration': 40,
    'Total Fwd Packets': 1,
    'Total Backward Packets': 1,
    'Flow Packets/s': 50_000,
    'Flow IAT Mean': 40,
    'Flow IAT Max': 40,
    'Flow IAT Min': 40,
    'Fwd Header Length': 24,
    'Fwd Header Length.1': 24,
    'Bwd Header Length': 20,
    'Fwd Packets/s': 25_000,
    'Bwd Packets/s': 25_000,
    'SYN Flag Count': 1,
    'RST Flag Count': 1,
    'ACK Flag Count': 1,
    'Down/Up Ratio': 1,
  });
  const reading = repeated({
    'Flow Duration': 30_000,
    'Total Fwd Packets': 1,
    'Total Backward Packets': 1,
    'Total Length of Fwd Packets': 40,
    'Total Length of Bwd Packets': 56,
    'Fwd Packet Length Max': 40,
    'Fwd Packet Length Min': 40,
    'Fwd Packet Length Mean': 40,
    'Bwd Packet Length Max': 56,
    'Bwd Packet Length Min': 56,
    'Bwd Packet Length Mean': 56,
    'Flow Bytes/s': 3200,
    'Flow Packets/s': 66,
    'Flow IAT Mean': 30_000,
    'Flow IAT Max': 30_000,
    'Flow IAT Min': 30_000,
    'Fwd Header Length': 8,
    'Fwd Header Length.1': 8,
    'Bwd Header Length': 8,
    'Fwd Packets/s': 33,
    'Bwd Packets/s': 33,
    'Min Packet Length': 40,
    'Max Packet Length': 56,
    'Packet Length Mean': 48,
    'Packet Length Std': 11.3,
    'Packet Length Variance': 128,
    'Down/Up Ratio': 1,
    'Average Packet Size': 48,
    'Avg Fwd Segment Size': 40,
    'Avg Bwd Segment Size': 56,
  });
  const windows = new Float32Array(2 * windowSize);
  windows.set(refused);
  windows.set(reading, windowSize);
  const { scores, probabilities } = await detector.detect({ count: 2, windows, flowsSeen: Uint8Array.of(10, 10) });
  expect(scores[0]).toBeGreaterThanOrEqual(detector.manifest.threshold);
  const classes = probabilities.subarray(0, trafficClasses.length);
  expect(trafficClasses[classes.indexOf(Math.max(...classes))]).toBe('port_scan');
  expect(scores[1]).toBeLessThan(0.1);
});
