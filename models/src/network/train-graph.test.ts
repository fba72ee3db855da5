/** What a step of training computes, against finite differences and against the same written by hand. */
import { windowLength } from '@picket/shared/features/feature-schema';
import type { InferenceSession } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { buildTrainGraph } from './bundle-graphs.ts';
import { classCount, cutParameters, parameterCount, summaryWidth } from './network-parameters.ts';
import { handWrittenStep } from './testing/hand-written-step.ts';
import {
  batch,
  flowContext,
  floats,
  flowsSeen,
  flowTargets,
  keep,
  ones,
  open,
  parameters,
  random,
  scaler,
  targets,
  trainStep,
  values,
  windowFeeds,
  windows,
} from './testing/graph-windows.ts';

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
