/** What `build` packs must pass what gateways and controller refuse by. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { checkGraph } from '@picket/shared/policy/check-graph';
import { expect, test } from 'vitest';
import { seededRandom } from './dataset/seeded-random.ts';
import { buildDetectGraph, buildExplainGraph, buildTrainGraph } from './network/bundle-graphs.ts';
import { wholeDesign } from './network/cnn-lstm.ts';
import { initialParameters } from './network/network-parameters.ts';
import { buildPerturbGraph } from './network/perturb-graph.ts';

test('every graph of a bundle keeps to the operators, sizes and names that a gateway allows', () => {
  const random = seededRandom(3);
  const scaler = {
    mean: Float32Array.from({ length: featureCount }, random),
    scale: new Float32Array(featureCount).fill(1),
    ceiling: new Float32Array(featureCount).fill(2),
  };
  const network = {
    scaler,
    parameters: initialParameters(random),
    calibration: { temperature: 1.2, offset: 0.4 },
    design: wholeDesign,
  };
  const graphs = {
    'detect.onnx': buildDetectGraph(network),
    'explain.onnx': buildExplainGraph(network),
    'train.onnx': buildTrainGraph(scaler, network.parameters, network.design),
    'perturb.onnx': buildPerturbGraph(network),
  };
  for (const [name, bytes] of Object.entries(graphs)) expect(() => checkGraph(name, bytes), name).not.toThrow();
});
