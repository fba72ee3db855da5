/** Integrated gradients through the network in plain operators, feature by feature: what the explain graph is held against. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { plainForward, splitParameters } from '../cnn-lstm.ts';
import type { TrainedNetwork } from '../cnn-lstm.ts';
import { appendGradients } from '../gradients.ts';
import { GraphBuilder } from '../graph-builder.ts';
import type { Tensor } from '../graph-builder.ts';
import { classCount, parameterCount } from '../network-parameters.ts';
import { prepareWindows, windowInputs } from '../prepare-windows.ts';

/** Inputs and outputs are those of `buildExplainGraph`. */
export function buildPlainExplainGraph(network: TrainedNetwork): Buffer {
  const graph = new GraphBuilder('plain_explain');
  const alphas = graph.reshape(graph.input('alphas', ['steps']), ['batch', 1, 1]);
  const weights = graph.reshape(graph.input('weights', ['steps']), ['batch', 1, 1]);
  const one = prepareWindows(graph, windowInputs(graph, 1), network.scaler);
  const path = graph.mul(one.standardised, alphas);
  const nothing = graph.mul(alphas, graph.scalar(0));
  const spread = (tensor: Tensor): Tensor => graph.add(tensor, nothing);
  const flowsSeen = graph.reshape(spread(graph.reshape(one.flowsSeen, [1, 1, 1])), ['batch', 1]);
  const prepared = {
    standardised: path,
    present: spread(one.present),
    flowsSeen,
    surroundings: spread(one.surroundings),
    places: one.places,
  };
  const parameters = splitParameters(graph, graph.constant(network.parameters, [parameterCount]));
  const { logits } = plainForward(graph, prepared, parameters, network.design);
  const calibrated = graph.mul(logits, graph.scalar(1 / network.temperature));
  const [benign, attack] = graph.split(calibrated, [1, classCount - 1], 1) as [Tensor, Tensor];
  const any = graph.one('ReduceLogSumExp', [attack], ['batch', 1], { axes: [1], keepdims: 1 });
  const logit = graph.sub(any, benign);
  const ones = graph.add(graph.mul(logit, graph.scalar(0)), graph.scalar(1));
  const [gradient] = appendGradients(graph, logit, ones, [path]) as [Tensor];
  const mean = graph.reduceSum(graph.mul(gradient, weights), [0], false);
  graph.output('attributions', graph.mul(mean, graph.reshape(one.standardised, [windowLength, featureCount])));
  graph.output('logits', { ...graph.reshape(logit, ['batch']), shape: ['steps'] });
  return graph.build();
}
