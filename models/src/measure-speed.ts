/** How fast the graphs of a trained network run on one thread of this machine, and how large they are. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { seededRandom } from './dataset/seeded-random.ts';
import { buildDetectGraph, buildExplainGraph, buildTrainGraph } from './network/bundle-graphs.ts';
import type { TrainedNetwork } from './network/cnn-lstm.ts';
import { classCount } from './network/network-parameters.ts';
import { buildPerturbGraph } from './network/perturb-graph.ts';
import { Trainer } from './network/trainer.ts';

const batch = 256;
const explainSteps = 32;
const repeats = 5;
const windowSize = windowLength * featureCount;

export interface Speed {
  readonly training_windows_per_second: number;
  readonly scored_windows_per_second: number;
  readonly score_one_ms: number;
  readonly explain_ms: number;
  readonly bytes: number;
}

/** The median of several runs of each. */
export async function measureSpeed(network: TrainedNetwork): Promise<Speed> {
  const random = seededRandom(1);
  const windows = Float32Array.from({ length: batch * windowSize }, () => Math.expm1(8 * random()));
  const flowsSeen = new Float32Array(batch).fill(windowLength);
  const flowContext = Float32Array.from({ length: batch * flowContextSize }, (_, at) => at % flowContextWidth);
  const targets = new Float32Array(batch * classCount);
  for (let index = 0; index < batch; index++) targets[index * classCount + (index % classCount)] = 1;
  const graphs = {
    detect: buildDetectGraph(network),
    explain: buildExplainGraph(network),
    train: buildTrainGraph(network.scaler, network.parameters, network.design),
    perturb: buildPerturbGraph(network),
  };
  await using trainer = await Trainer.open(graphs.train);
  const step = { learningRate: 1e-4, clipNorm: 1, proximal: 0 };
  const trainMs = await medianMs(20, () =>
    trainer.step({ count: batch, windows, flowsSeen, flowContext, targets }, step),
  );

  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
  const detect = await InferenceSession.create(graphs.detect, { ...options, graphOptimizationLevel: 'disabled' });
  const feeds = (count: number): Record<string, Tensor> => ({
    windows: new Tensor('float32', windows.subarray(0, count * windowSize), [count, windowLength, featureCount]),
    flows_seen: new Tensor('float32', flowsSeen.subarray(0, count), [count]),
    flow_context: new Tensor('float32', flowContext.subarray(0, count * flowContextSize), [
      count,
      windowLength,
      flowContextWidth,
    ]),
  });
  const many = feeds(batch);
  const one = feeds(1);
  const manyMs = await medianMs(20, () => detect.run(many));
  const oneMs = await medianMs(200, () => detect.run(one));

  const explain = await InferenceSession.create(graphs.explain, { ...options, graphOptimizationLevel: 'disabled' });
  const path = {
    ...one,
    alphas: new Tensor(
      'float32',
      Float32Array.from({ length: explainSteps }, (_, at) => (at + 0.5) / explainSteps),
      [explainSteps],
    ),
    weights: new Tensor('float32', new Float32Array(explainSteps).fill(1 / explainSteps), [explainSteps]),
  };
  const explainMs = await medianMs(50, () => explain.run(path));
  await detect.release();
  await explain.release();
  return {
    training_windows_per_second: Math.round((batch / trainMs) * 1000),
    scored_windows_per_second: Math.round((batch / manyMs) * 1000),
    score_one_ms: oneMs,
    explain_ms: explainMs,
    bytes: Object.values(graphs).reduce((sum, { length }) => sum + length, 0),
  };
}

/** Of one call, over several runs of `calls` each; the first run only warms up. */
async function medianMs(calls: number, call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run <= repeats; run++) {
    const startedAt = performance.now();
    for (let index = 0; index < calls; index++) await call();
    if (run > 0) times.push((performance.now() - startedAt) / calls);
  }
  return times.sort((a, b) => a - b)[Math.floor(repeats / 2)]!;
}
