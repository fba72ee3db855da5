/** What attributions say, and that they say it of everything that the score was made from. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { buildDetectGraph, buildExplainGraph } from './bundle-graphs.ts';
import { wholeDesign } from './cnn-lstm.ts';
import {
  batch,
  flowContext,
  floats,
  flowsSeen,
  open,
  parameters,
  scaler,
  values,
  windowFeeds,
  windows,
} from './testing/graph-windows.ts';
import { buildPlainExplainGraph } from './testing/plain-explain.ts';

const network = { scaler, parameters, calibration: { temperature: 1.3, offset: 0.7 }, design: wholeDesign };
const windowSize = windowLength * featureCount;

/** One of the windows, and `steps` points on the way to it, then its two ends, which weigh nothing. */
function explainFeeds(row: number, steps: number): Record<string, Tensor> {
  return {
    ...oneWindow(row),
    alphas: floats(
      Float32Array.from({ length: steps + 2 }, (_, step) => (step < steps ? (step + 0.5) / steps : step - steps)),
      [steps + 2],
    ),
    weights: floats(new Float32Array(steps + 2).fill(1 / steps, 0, steps), [steps + 2]),
  };
}

function contextOf(row: number): Float32Array {
  return flowContext.slice(row * flowContextSize, (row + 1) * flowContextSize);
}

function oneWindow(row: number, context = contextOf(row)): Record<string, Tensor> {
  return {
    windows: floats(windows.slice(row * windowSize, (row + 1) * windowSize), [1, windowLength, featureCount]),
    flows_seen: floats(flowsSeen.slice(row, row + 1), [1]),
    flow_context: floats(context, [1, windowLength, flowContextWidth]),
  };
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}

test('attributions of features and context add up to the difference of the logits', async () => {
  const explain = await open(buildExplainGraph(network));
  const steps = 256;
  for (let row = 0; row < batch; row++) {
    const result = await explain.run(explainFeeds(row, steps));
    const logits = values(result, 'logits');
    const context = values(result, 'context_attributions');
    const difference = logits[steps + 1]! - logits[steps]!;
    const missing = sum(values(result, 'attributions')) + sum(context) - difference;
    expect(Math.abs(missing)).toBeLessThan(0.02 * Math.max(1, Math.abs(difference)));
    // Neither would do alone.
    expect(Math.max(...context.map(Math.abs))).toBeGreaterThan(0.001);
  }
});

test('the way ends at the score that the window has', async () => {
  const explain = await open(buildExplainGraph(network));
  const scores = values(await (await open(buildDetectGraph(network))).run(windowFeeds()), 'scores');
  for (let row = 0; row < batch; row++) {
    const logits = values(await explain.run(explainFeeds(row, 1)), 'logits');
    expect(1 / (1 + Math.exp(-logits[2]!))).toBeCloseTo(scores[row]!, 5);
  }
});

/**
 * The spans of one window where all is quiet, as the network sees them, from how it is defined: age, pause, pause of the peer, recent flows of
 * device and peer, how long the peer is known, how late it came. 0 where the window does not say.
 */
function quietSpans(row: number): Float32Array {
  const context = contextOf(row);
  const first = windowLength - flowsSeen[row]!;
  const knows = (slot: number, column: number): number =>
    slot >= first && context[slot * flowContextWidth + column]! >= 0 ? 1 : 0;
  const [never, single] = [(Math.log(7200.05) - 1) / 3, (Math.log(2) - 2) / 2];
  const [friend, together] = [Math.log(601) / 3.2 - 1, -1];
  return Float32Array.from(
    Array.from({ length: windowLength }, (_, slot) => [
      never * knows(slot, 0),
      never * knows(slot, 0) * knows(slot - 1, 0),
      never * knows(slot, 0) * knows(slot, 1),
      single * knows(slot, 3),
      single * knows(slot, 4),
      friend * knows(slot, 5),
      together * knows(slot, 5) * knows(slot, 6),
    ]).flat(),
  );
}

/** By column of `flow_context`: times by age and pauses, how long the peer is known by that and by how late it came. */
function byContext(ofSpans: Float32Array): number[] {
  return Array.from({ length: windowLength }, (_, slot) => {
    const [age, pause, ofPeer, device, peer, known, late] = ofSpans.subarray(slot * 7, (slot + 1) * 7);
    return [age! + pause! + ofPeer!, 0, 0, device!, peer!, known! + late!, 0];
  }).flat();
}

test.each([
  ['whole', wholeDesign] as const,
  ['without neighbours and surroundings', { ...wholeDesign, neighbours: false, surroundings: false }] as const,
  ['without familiarity', { ...wholeDesign, familiarity: false }] as const,
  ['of the LSTM alone', { ...wholeDesign, pooling: false, attention: false, suspicion: false }] as const,
])('each attribution is what the plain operators say, %s', async (_name, design) => {
  const explain = await open(buildExplainGraph({ ...network, design }));
  const plain = await open(buildPlainExplainGraph({ ...network, design }));
  for (let row = 0; row < batch; row++) {
    const feeds = explainFeeds(row, 8);
    const found = await explain.run(feeds);
    const expected = await plain.run({ ...feeds, quiet_spans: floats(quietSpans(row), [1, windowLength, 7]) });
    const pairs = [
      ['attributions', values(expected, 'attributions')],
      ['logits', values(expected, 'logits')],
      ['context_attributions', byContext(values(expected, 'span_attributions'))],
    ] as const;
    for (const [name, wanted] of pairs) {
      const largest = Math.max(...Array.from(wanted, Math.abs));
      if (design.surroundings || name !== 'context_attributions') expect(largest, name).toBeGreaterThan(1e-4);
      for (const [index, value] of values(found, name).entries())
        expect(Math.abs(value - wanted[index]!), name).toBeLessThan(1e-4 * Math.max(largest, 1e-4));
    }
  }
});

test.each([
  ['recent flows of the device', 3, 1, 1],
  ['recent flows of the peer', 4, 1, 1],
  ['how long the peer is known', 5, 1, 600],
] as const)('at the end of the way %s attribute what finite differences say', async (_name, column, least, quiet) => {
  const explain = await open(buildExplainGraph(network));
  let looked = 0;
  for (let row = 0; row < batch; row++) {
    // Known for less than ten minutes, and nobody knows how much later than the device.
    const context = contextOf(row).map((value, index) =>
      value < 0 ? value : [value, value, value, value, value, 5 + ((31 * index) % 400), -1][index % flowContextWidth]!,
    );
    const at = async (changed: Float32Array): Promise<InferenceSession.OnnxValueMapType> =>
      explain.run({
        ...oneWindow(row, changed),
        alphas: floats(Float32Array.of(1), [1]),
        weights: floats(Float32Array.of(1), [1]),
      });
    const attributed = values(await at(context), 'context_attributions');
    for (let slot = windowLength - flowsSeen[row]!; slot < windowLength; slot++) {
      const index = slot * flowContextWidth + column;
      const value = context[index]!;
      if (value < 0) continue;
      const logits = await Promise.all(
        [0.97, 1, 1.03].map(async (factor) => {
          const changed = context.with(index, (value + least) * factor - least);
          return values(await at(changed), 'logits')[0]!;
        }),
      );
      const [behind, here, ahead] = logits as [number, number, number];
      const way = Math.log((value + least) / (quiet + least));
      // On either side; they differ where a Relu begins.
      const slopes = [(here - behind) / -Math.log(0.97), (ahead - here) / Math.log(1.03)].map((slope) => slope * way);
      const expected = (slopes[0]! + slopes[1]!) / 2;
      const slack = 0.02 * Math.abs(expected) + 5e-4;
      expect(attributed[index]!).toBeGreaterThan(Math.min(...slopes) - slack);
      expect(attributed[index]!).toBeLessThan(Math.max(...slopes) + slack);
      looked += Math.abs(expected) > 0.005 ? 1 : 0;
    }
  }
  expect(looked).toBeGreaterThan(10);
});

test('what nobody knows and what is a name is attributed nothing, nor an old friend in quiet times', async () => {
  const explain = await open(buildExplainGraph(network));
  const ofContext = async (row: number, context: Float32Array): Promise<Float32Array> =>
    values(await explain.run({ ...explainFeeds(row, 4), ...oneWindow(row, context) }), 'context_attributions');
  for (let row = 0; row < batch; row++) {
    const asIs = await ofContext(row, contextOf(row));
    for (const [index, value] of asIs.entries()) {
      const isSpan = [0, 3, 4, 5].includes(index % flowContextWidth);
      if (!isSpan || contextOf(row)[index]! < 0) expect(Math.abs(value)).toBe(0);
    }
    const unknown = await ofContext(row, contextOf(row).fill(-1));
    expect(unknown.every((value) => Math.abs(value) === 0)).toBe(true);
    // Nobody knows when anything came.
    const friends = await ofContext(
      row,
      contextOf(row).map((_, index) => [-1, Math.floor(index / 7), 0, 1, 1, 900, 900][index % 7]!),
    );
    expect(friends.every((value) => Math.abs(value) < 1e-5)).toBe(true);
  }
});
