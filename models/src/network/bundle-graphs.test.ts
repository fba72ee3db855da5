import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { seededRandom } from '../dataset/seeded-random.ts';
import { buildDetectGraph, buildExplainGraph, buildTrainGraph } from './bundle-graphs.ts';
import { wholeDesign } from './cnn-lstm.ts';
import type { NetworkDesign } from './cnn-lstm.ts';
import { classCount, cutParameters, initialParameters, parameterCount, summaryWidth } from './network-parameters.ts';
import { buildPlainExplainGraph } from './testing/plain-explain.ts';
import { handWrittenStep } from './testing/hand-written-step.ts';

const random = seededRandom(7);
const scaler = {
  // Of some even the smallest value saturates.
  mean: Float32Array.from({ length: featureCount }, (_, index) => (index % 7 === 3 ? 15 : 3 * random())),
  scale: Float32Array.from({ length: featureCount }, (_, index) => (index % 9 === 0 ? 0 : 0.3 + random())),
  ceiling: Float32Array.from({ length: featureCount }, () => 1.5 + 4 * random()),
};
const parameters = initialParameters(random);
const batch = 6;
const windows = Float32Array.from({ length: batch * windowLength * featureCount }, () => Math.expm1(6 * random()));
const flowsSeen = Float32Array.of(10, 1, 4, 10, 7, 2);
/** Ages, peers that repeat, directions; of some nothing is known. */
const flowContext = Float32Array.from({ length: batch * flowContextSize }, (_, index) => {
  if (random() < 0.15) return -1;
  const [age, few, recent] = [Math.expm1(6 * random()), Math.floor(3 * random()), 100 * random() ** 3];
  return [age, few, few, recent, recent, 7 * age, 9 * age][index % flowContextWidth]!;
});
const targets = new Float32Array(batch * classCount);
/** Of the flows of some windows nobody says what they are. */
const flowTargets = new Float32Array(batch * windowLength * classCount);
// Ports that repeat within a window, as they do in life.
for (let at = 0; at < windows.length; at += featureCount) windows[at] = [22, 80, 443][Math.floor(3 * random())]!;
const keep = Float32Array.from({ length: batch * summaryWidth }, () => (random() < 0.2 ? 0 : 1.25));
const ones = new Float32Array(batch * summaryWidth).fill(1);
for (let row = 0; row < batch; row++) {
  targets[row * classCount + ((row * 5) % classCount)] = 1 + (row % 3);
  if (row % 3 === 1) continue;
  for (let slot = windowLength - flowsSeen[row]!; slot < windowLength; slot++)
    flowTargets[(row * windowLength + slot) * classCount + ((row + slot * 7) % classCount)] = 0.5 + (slot % 2);
}

async function open(model: Buffer): Promise<InferenceSession> {
  return InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
}

function floats(values: Float32Array, shape: number[]): Tensor {
  return new Tensor('float32', values, shape);
}

function windowFeeds(values = windows, context = flowContext): Record<string, Tensor> {
  return {
    windows: floats(values, [batch, windowLength, featureCount]),
    flows_seen: floats(flowsSeen, [batch]),
    flow_context: floats(context, [batch, windowLength, flowContextWidth]),
  };
}

async function trainStep(
  session: InferenceSession,
  delta: Float32Array,
  kept = ones,
  proximal = 0,
): Promise<InferenceSession.OnnxValueMapType> {
  const zeros = new Float32Array(parameterCount);
  return session.run({
    ...windowFeeds(),
    targets: floats(targets, [batch, classCount]),
    flow_targets: floats(flowTargets, [batch, windowLength, classCount]),
    keep: floats(kept, [batch, summaryWidth]),
    delta: floats(delta, [parameterCount]),
    momentum: floats(zeros, [parameterCount]),
    velocity: floats(zeros, [parameterCount]),
    learning_rate: floats(Float32Array.of(0.001), []),
    clip_norm: floats(Float32Array.of(1e9), []),
    proximal: floats(Float32Array.of(proximal), []),
  });
}

function values(result: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  return result[name]!.data as Float32Array;
}

test('the gradient of the loss agrees with finite differences along random directions', async () => {
  const session = await open(buildTrainGraph(scaler, parameters));
  const here = await trainStep(session, new Float32Array(parameterCount));
  // The first momentum from zero is a tenth of the gradient.
  const gradient = values(here, 'next_momentum').map((value) => value * 10);
  for (let trial = 0; trial < 8; trial++) {
    // A different stretch of the vector each time, so that every kind of parameter is looked at alone.
    const from = Math.floor((trial * parameterCount) / 8);
    const to = Math.floor(((trial + 1) * parameterCount) / 8);
    const direction = Float32Array.from(gradient, (value, index) =>
      index >= from && index < to ? value * (0.5 + random()) : 0,
    );
    const norm = Math.hypot(...direction);
    const step = 0.002;
    const [ahead, behind] = await Promise.all(
      [step, -step].map((distance) =>
        trainStep(
          session,
          direction.map((value) => (value / norm) * distance),
        ),
      ),
    );
    const slope = (values(ahead!, 'loss')[0]! - values(behind!, 'loss')[0]!) / (2 * step);
    const expected = direction.reduce((sum, value, index) => sum + (value / norm) * gradient[index]!, 0);
    expect(Math.abs(slope - expected) / Math.abs(expected)).toBeLessThan(0.02);
  }
});

test('loss and gradient agree with the same step written by hand', async () => {
  const session = await open(buildTrainGraph(scaler, parameters));
  const delta = parameters.map(() => 0.1 * (random() - 0.5));
  const step = await trainStep(session, delta, keep);
  const flat = parameters.map((value, index) => value + delta[index]!);
  const expected = handWrittenStep({ windows, flowsSeen, flowContext, targets, flowTargets, keep }, scaler, flat);
  expect(values(step, 'loss')[0]).toBeCloseTo(expected.loss, 5);
  const names = Object.entries(cutParameters(parameters));
  for (const [name, view] of names) {
    const start = (view.byteOffset - parameters.byteOffset) / 4;
    const ours = values(step, 'next_momentum').subarray(start, start + view.length);
    const theirs = expected.gradient.subarray(start, start + view.length);
    const size = Math.hypot(...theirs);
    const distance = Math.hypot(...ours.map((value, index) => value * 10 - theirs[index]!));
    expect(size, name).toBeGreaterThan(0);
    expect(distance / size, name).toBeLessThan(2e-5);
  }
});

test('FedProx pulls the change towards 0 by exactly its weight', async () => {
  const session = await open(buildTrainGraph(scaler, parameters));
  const delta = parameters.map(() => 0.1 * (random() - 0.5));
  const free = values(await trainStep(session, delta), 'next_momentum');
  const pulled = values(await trainStep(session, delta, ones, 0.5), 'next_momentum');
  for (let index = 0; index < parameterCount; index += 101) {
    expect(pulled[index]! - free[index]!).toBeCloseTo(0.05 * delta[index]!, 6);
  }
});

test('a step is no longer than the clipped gradient allows, and a class weight of 0 silences its windows', async () => {
  const session = await open(buildTrainGraph(scaler, parameters));
  const run = async (wanted: Float32Array, clip: number): Promise<InferenceSession.OnnxValueMapType> => {
    const zeros = floats(new Float32Array(parameterCount), [parameterCount]);
    return session.run({
      ...windowFeeds(),
      targets: floats(wanted, [batch, classCount]),
      flow_targets: floats(
        flowTargets.map(() => 0),
        [batch, windowLength, classCount],
      ),
      keep: floats(ones, [batch, summaryWidth]),
      delta: zeros,
      momentum: zeros,
      velocity: zeros,
      learning_rate: floats(Float32Array.of(0.001), []),
      clip_norm: floats(Float32Array.of(clip), []),
      proximal: floats(Float32Array.of(0), []),
    });
  };
  const clipped = await run(targets, 0.01);
  expect(values(clipped, 'gradient_norm')[0]).toBeGreaterThan(0.01);
  expect(Math.hypot(...values(clipped, 'next_momentum')) * 10).toBeCloseTo(0.01, 5);
  const silenced = targets.slice();
  silenced.fill(0, classCount);
  const alone = await run(silenced, 1e9);
  const expected = handWrittenStep(
    { windows, flowsSeen, flowContext, targets: silenced, flowTargets: flowTargets.map(() => 0), keep: ones },
    scaler,
    parameters,
  );
  expect(values(alone, 'loss')[0]).toBeCloseTo(expected.loss, 5);
});

test.each([
  { ...wholeDesign, recurrence: false, surroundings: false },
  { ...wholeDesign, neighbours: false, pooling: false, attention: false },
  { ...wholeDesign, attention: false, suspicion: false },
])('a network with parts left out is the same in both graphs: %o', async (design) => {
  const train = await trainStep(
    await open(buildTrainGraph(scaler, parameters, design)),
    new Float32Array(parameterCount),
  );
  const detect = await open(buildDetectGraph({ scaler, parameters, temperature: 1, design }));
  const probabilities = values(await detect.run(windowFeeds()), 'probabilities');
  for (let row = 0; row < batch; row++) {
    const logits = values(train, 'logits').slice(row * classCount, (row + 1) * classCount);
    const largest = Math.max(...logits);
    const total = logits.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    for (const [index, logit] of logits.entries()) {
      expect(probabilities[row * classCount + index]).toBeCloseTo(Math.exp(logit - largest) / total, 5);
    }
  }
});

test('a larger value than training ever saw counts as the largest it saw', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, temperature: 1, design: wholeDesign }));
  const high = Float32Array.from(windows, (value, index) => (index % featureCount === 0 ? value : 1e12));
  const higher = Float32Array.from(windows, (value, index) => (index % featureCount === 0 ? value : 3e38));
  expect(values(await detect.run(windowFeeds(high)), 'probabilities')).toEqual(
    values(await detect.run(windowFeeds(higher)), 'probabilities'),
  );
});

test('a port is seen only as being the same as others', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, temperature: 1, design: wholeDesign }));
  const renamed = windows.slice();
  for (let at = 0; at < renamed.length; at += featureCount) renamed[at] = 60_000 - renamed[at]!;
  const scattered = windows.slice();
  for (let at = 0; at < scattered.length; at += featureCount) scattered[at] = at / featureCount;
  const asIs = values(await detect.run(windowFeeds()), 'probabilities');
  expect(values(await detect.run(windowFeeds(renamed)), 'probabilities')).toEqual(asIs);
  expect(values(await detect.run(windowFeeds(scattered)), 'probabilities')).not.toEqual(asIs);
});

const parts = Object.keys(wholeDesign) as (keyof NetworkDesign)[];
test.each([
  ['whole', wholeDesign] as const,
  ...parts.map((part) => [`without ${part}`, { ...wholeDesign, [part]: false }] as const),
])('detect says what the training graph says, %s, and its rows sum to 1', async (_name, design) => {
  const temperature = 1.3;
  const detect = await open(buildDetectGraph({ scaler, parameters, temperature, design }));
  const result = await detect.run(windowFeeds());
  const train = await trainStep(
    await open(buildTrainGraph(scaler, parameters, design)),
    new Float32Array(parameterCount),
  );
  const logits = values(train, 'logits').map((logit) => logit / temperature);
  for (let row = 0; row < batch; row++) {
    const exponentials = Array.from({ length: classCount }, (_, index) => Math.exp(logits[row * classCount + index]!));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    for (const [index, value] of exponentials.entries()) {
      expect(values(result, 'probabilities')[row * classCount + index]).toBeCloseTo(value / sum, 5);
    }
    expect(values(result, 'scores')[row]).toBeCloseTo(1 - exponentials[0]! / sum, 5);
  }
});

test('of peers only matters who is the same; ages, peers and directions do matter', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, temperature: 1, design: wholeDesign }));
  const asIs = values(await detect.run(windowFeeds()), 'probabilities');
  const changed = async (column: number, change: (value: number, flow: number) => number): Promise<Float32Array> => {
    const context = flowContext.map((value, index) =>
      index % flowContextWidth === column && value >= 0 ? change(value, Math.floor(index / flowContextWidth)) : value,
    );
    return values(await detect.run(windowFeeds(windows, context)), 'probabilities');
  };
  expect(await changed(1, (peer) => 9 - peer)).toEqual(asIs);
  expect(await changed(1, (_, flow) => flow)).not.toEqual(asIs);
  expect(await changed(0, (age) => age / 60)).not.toEqual(asIs);
  expect(await changed(2, (direction) => (direction + 1) % 3)).not.toEqual(asIs);
  expect(await changed(3, (flows) => 2 * flows + 1)).not.toEqual(asIs);
  expect(await changed(4, (flows) => 2 * flows + 1)).not.toEqual(asIs);
  expect(await changed(5, (known) => known / 2)).not.toEqual(asIs);
  expect(await changed(6, (known) => known + 20)).not.toEqual(asIs);
});

test('beyond ten minutes a peer is known for long, and beyond two it came late', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, temperature: 1, design: wholeDesign }));
  const told = async (peer: number, device: number): Promise<Float32Array> => {
    const context = flowContext.map((value, index) => [value, value, value, value, value, peer, device][index % 7]!);
    return values(await detect.run(windowFeeds(windows, context)), 'probabilities');
  };
  expect(await told(600, 600)).toEqual(await told(86_400, 86_400));
  expect(await told(10, 130)).toEqual(await told(10, 86_400));
  expect(await told(10, 20)).not.toEqual(await told(10, 130));
  expect(await told(10, -1)).not.toEqual(await told(10, 10));
});

test('what stands in the slots before the present flows changes nothing', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, temperature: 1, design: wholeDesign }));
  const littered = Float32Array.from(windows);
  for (let row = 0; row < batch; row++) {
    const start = row * windowLength * featureCount;
    littered.fill(12_345, start, start + (windowLength - flowsSeen[row]!) * featureCount);
  }
  const strewn = flowContext.slice();
  for (let row = 0; row < batch; row++) {
    const start = row * flowContextSize;
    strewn.fill(1, start, start + (windowLength - flowsSeen[row]!) * flowContextWidth);
  }
  const clean = await detect.run(windowFeeds());
  const dirty = await detect.run(windowFeeds(littered, strewn));
  expect(littered).not.toEqual(windows);
  expect(values(dirty, 'probabilities')).toEqual(values(clean, 'probabilities'));
});

test('NaN, infinities and negative values count as 0', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, temperature: 1, design: wholeDesign }));
  const hostile = Float32Array.from(windows);
  const zeroed = Float32Array.from(windows);
  for (let index = 0; index < hostile.length; index += 17) {
    hostile[index] = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1][(index / 17) % 4]!;
    zeroed[index] = 0;
  }
  const result = values(await detect.run(windowFeeds(hostile)), 'probabilities');
  expect(result).toEqual(values(await detect.run(windowFeeds(zeroed)), 'probabilities'));
  expect(result.every(Number.isFinite)).toBe(true);
});

/** One of the windows, and `steps` points on the way to it, then its two ends, which weigh nothing. */
function explainFeeds(row: number, steps: number): Record<string, Tensor> {
  const size = windowLength * featureCount;
  return {
    windows: floats(windows.slice(row * size, (row + 1) * size), [1, windowLength, featureCount]),
    flows_seen: floats(flowsSeen.slice(row, row + 1), [1]),
    flow_context: floats(flowContext.slice(row * flowContextSize, (row + 1) * flowContextSize), [
      1,
      windowLength,
      flowContextWidth,
    ]),
    alphas: floats(
      Float32Array.from({ length: steps + 2 }, (_, step) => (step < steps ? (step + 0.5) / steps : step - steps)),
      [steps + 2],
    ),
    weights: floats(new Float32Array(steps + 2).fill(1 / steps, 0, steps), [steps + 2]),
  };
}

test('attributions add up to the difference of the logits', async () => {
  const explain = await open(buildExplainGraph({ scaler, parameters, temperature: 1.3, design: wholeDesign }));
  const steps = 256;
  for (let row = 0; row < batch; row++) {
    const result = await explain.run(explainFeeds(row, steps));
    const logits = values(result, 'logits');
    const sum = values(result, 'attributions').reduce((total, value) => total + value, 0);
    const difference = logits[steps + 1]! - logits[steps]!;
    expect(Math.abs(sum - difference)).toBeLessThan(0.02 * Math.max(1, Math.abs(difference)));
  }
});

test.each([
  ['whole', wholeDesign] as const,
  ['without neighbours and surroundings', { ...wholeDesign, neighbours: false, surroundings: false }] as const,
  ['without familiarity', { ...wholeDesign, familiarity: false }] as const,
  ['of the LSTM alone', { ...wholeDesign, pooling: false, attention: false, suspicion: false }] as const,
])('each attribution is what the plain operators say, %s', async (_name, design) => {
  const network = { scaler, parameters, temperature: 1.3, design };
  const explain = await open(buildExplainGraph(network));
  const plain = await open(buildPlainExplainGraph(network));
  for (let row = 0; row < batch; row++) {
    const found = await explain.run(explainFeeds(row, 8));
    const expected = await plain.run(explainFeeds(row, 8));
    for (const name of ['attributions', 'logits']) {
      const wanted = values(expected, name);
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest).toBeGreaterThan(1e-4);
      for (const [index, value] of values(found, name).entries())
        expect(Math.abs(value - wanted[index]!)).toBeLessThan(1e-4 * largest);
    }
  }
});

test('a hundred steps learn six windows by heart', async () => {
  const session = await open(buildTrainGraph(scaler, parameters));
  let state = ['next_delta', 'next_momentum', 'next_velocity'].map(() => new Float32Array(parameterCount));
  const losses: number[] = [];
  for (let step = 0; step < 100; step++) {
    const result: InferenceSession.OnnxValueMapType = await session.run({
      ...windowFeeds(),
      targets: floats(targets, [batch, classCount]),
      flow_targets: floats(
        flowTargets.map(() => 0),
        [batch, windowLength, classCount],
      ),
      keep: floats(ones, [batch, summaryWidth]),
      delta: floats(state[0]!, [parameterCount]),
      momentum: floats(state[1]!, [parameterCount]),
      velocity: floats(state[2]!, [parameterCount]),
      learning_rate: floats(Float32Array.of(0.003), []),
      clip_norm: floats(Float32Array.of(5), []),
      proximal: floats(Float32Array.of(0), []),
    });
    state = ['next_delta', 'next_momentum', 'next_velocity'].map(
      (name) => values(result, name) as Float32Array<ArrayBuffer>,
    );
    losses.push(values(result, 'loss')[0]!);
  }
  expect(losses[0]).toBeGreaterThan(1);
  expect(losses.at(-1)).toBeLessThan(0.05);
});
