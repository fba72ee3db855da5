import { featureCount, features, windowLength } from '@picket/shared/features/feature-schema';
import {
  type FlowContext,
  directionNumber,
  flowContextSize,
  flowContextWidth,
  unknownFlowContext,
  writeFlowContext,
} from '@picket/shared/features/flow-context';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { attributionWidth, type ExplainableWindow } from './detector.ts';
import { attribute, midpoints } from './explain-prediction.ts';
import { openModelBundle } from './model-bundle.ts';
import { OnnxDetector } from './onnx-detector.ts';
import { shippedBundleFolder } from './shipped-bundle.ts';

vi.setConfig({ testTimeout: 120_000 });

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

/** Ages from milliseconds to days, several peers, every direction, and now and then nothing known. */
function arbitraryContext(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count * flowContextSize }, (_, index) => {
    const flow = Math.floor(index / flowContextWidth);
    if (flow % 7 === 0) return -1;
    return [Math.exp((flow % 19) - 6), flow % 4, flow % 3, flow % 101, flow % 5, flow % 1009, flow % 2003][
      index % flowContextWidth
    ]!;
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
  const { scores, probabilities } = await detector.detect({
    count,
    windows: arbitraryWindows(count),
    flowsSeen,
    flowContext: arbitraryContext(count),
  });
  expect(scores).toHaveLength(count);
  for (let index = 0; index < count; index++) {
    const row = probabilities.subarray(index * trafficClasses.length, (index + 1) * trafficClasses.length);
    expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
    expect(scores[index]).toBeGreaterThanOrEqual(0);
    expect(scores[index]).toBeLessThanOrEqual(1);
    expect(scores[index]).toBeCloseTo(1 - row[0]!, 5);
  }
});

test.each([
  ['small', 3, [0, 1, 2]],
  ['large', 150, [0, 63, 64, 127, 128, 149]],
])('a window gets the same score alone, in a %s batch, and with room to spare', async (_name, count, looked) => {
  const windows = arbitraryWindows(count);
  const flowsSeen = Uint8Array.from({ length: count }, (_, index) => [10, 3, 7][index % 3]!);
  const flowContext = arbitraryContext(count);
  const together = await detector.detect({ count, windows, flowsSeen, flowContext });
  expect(together.scores).toHaveLength(count);
  expect(new Set(together.scores).size).toBeGreaterThan(2);
  for (const index of looked) {
    const alone = await detector.detect({
      count: 1,
      windows: windows.slice(index * windowSize),
      flowsSeen: flowsSeen.slice(index),
      flowContext: flowContext.slice(index * flowContextSize),
    });
    expect(alone.scores).toHaveLength(1);
    expect(alone.scores[0]).toBeCloseTo(together.scores[index]!, 5);
    const classes = trafficClasses.length;
    for (const [column, value] of alone.probabilities.entries())
      expect(value).toBeCloseTo(together.probabilities[index * classes + column]!, 5);
  }
});

describe('attributions', () => {
  let session: InferenceSession;
  beforeAll(async () => {
    const bundle = await openModelBundle(shippedBundleFolder);
    session = await InferenceSession.create(bundle.graphs['explain.onnx'], { intraOpNumThreads: 1 });
  });
  afterAll(() => session.release());

  /** What the whole window adds to the logit of the score, and what the attributions add up to. */
  async function completeness(
    window: ExplainableWindow,
    steps?: number,
  ): Promise<{ readonly difference: number; readonly sum: number; readonly logit: number }> {
    const ends = await attribute(session, window, Float32Array.of(0, 1), Float32Array.of(0.5, 0.5));
    const { attributions } =
      steps === undefined
        ? await attribute(session, window)
        : await attribute(session, window, midpoints(steps), new Float32Array(steps).fill(1 / steps));
    return {
      difference: ends.logits[1]! - ends.logits[0]!,
      sum: attributions.reduce((total, value) => total + value, 0),
      logit: ends.logits[1]!,
    };
  }

  test('are complete: they add up to what the window adds to the logit of its score, better with more steps', async () => {
    const windows = arbitraryWindows(12);
    const contexts = arbitraryContext(12);
    for (let index = 0; index < 12; index++) {
      const window = {
        features: windows.slice(index * windowSize, (index + 1) * windowSize),
        flowsSeen: [10, 1, 5, 10, 2, 8][index % 6]!,
        flowContext: contexts.slice(index * flowContextSize, (index + 1) * flowContextSize),
      };
      const usual = await completeness(window);
      expect(Math.abs(usual.sum - usual.difference)).toBeLessThan(0.25 * Math.max(1, Math.abs(usual.difference)));
      const fine = await completeness(window, 1024);
      expect(Math.abs(fine.sum - fine.difference)).toBeLessThan(0.01 * Math.max(1, Math.abs(fine.difference)));

      const { features: values, flowsSeen, flowContext } = window;
      const batch = { count: 1, windows: values, flowsSeen: Uint8Array.of(flowsSeen), flowContext };
      const { scores } = await detector.detect(batch);
      expect(1 / (1 + Math.exp(-usual.logit))).toBeCloseTo(scores[0]!, 4);
    }
  });

  test('stand only where a flow is, and never on a masked feature or on what nobody knows', async () => {
    const attributions = await detector.explain({
      features: arbitraryWindows(1),
      flowsSeen: 4,
      flowContext: unknownFlowContext(1),
    });
    expect(attributions).toHaveLength(windowLength * attributionWidth);
    expect(attributions.subarray(0, 6 * attributionWidth).every((value) => Math.abs(value) === 0)).toBe(true);
    expect(attributions.subarray(6 * attributionWidth).some((value) => value !== 0)).toBe(true);
    for (const [index, value] of attributions.entries()) {
      const column = index % attributionWidth;
      if (column >= featureCount || detector.manifest.masked_features.includes(column)) expect(Math.abs(value)).toBe(0);
    }
  });
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
  // A scan goes from port to port; the same port again and again would be a flood.
  for (let slot = 0; slot < windowLength; slot++) windows[slot * featureCount] = 20 + slot;
  windows.set(reading, windowSize);
  // The scanner goes from port to port within a second; the sensor reports to its server each minute.
  const flowContext = unknownFlowContext(2);
  const told = (each: (slot: number) => FlowContext): FlowContext[] =>
    Array.from({ length: windowLength }, (_, slot) => each(slot));
  const inbound = directionNumber('inbound');
  const outbound = directionNumber('outbound');
  writeFlowContext(
    told((slot) => ({
      ageSeconds: (windowLength - slot) / 10,
      peer: 0,
      direction: inbound,
      recentOfDevice: 100,
      recentOfPeer: 100,
      peerKnownSeconds: 2,
      deviceKnownSeconds: 2000,
    })),
    flowContext,
    0,
  );
  writeFlowContext(
    told((slot) => ({
      ageSeconds: (windowLength - slot) * 60,
      peer: 0,
      direction: outbound,
      recentOfDevice: 1.2,
      recentOfPeer: 1.2,
      peerKnownSeconds: 2000,
      deviceKnownSeconds: 2000,
    })),
    flowContext,
    flowContextSize,
  );
  const flowsSeen = Uint8Array.of(10, 10);
  const { scores, probabilities } = await detector.detect({ count: 2, windows, flowsSeen, flowContext });
  expect(scores[0]).toBeGreaterThanOrEqual(detector.manifest.threshold);
  const classes = probabilities.subarray(0, trafficClasses.length);
  expect(trafficClasses[classes.indexOf(Math.max(...classes))]).toBe('port_scan');
  expect(scores[1]).toBeLessThan(0.1);
});
