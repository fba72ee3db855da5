/** The graphs of a bundle, from one description of the network: detect scores, explain attributes, train learns on. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { plainForward, splitParameters, wholeDesign } from './cnn-lstm.ts';
import type { TrainedNetwork } from './cnn-lstm.ts';
import { convolveByTaps, firstSums, fusedForward, fusedLayers } from './fused-forward.ts';
import { appendAdam, appendGradients } from './gradients.ts';
import { GraphBuilder } from './graph-builder.ts';
import type { Tensor } from './graph-builder.ts';
import { classCount, parameterCount, summaryWidth } from './network-parameters.ts';
import { cleanWindows, prepareWindows, windowInputs } from './prepare-windows.ts';
import type { Scaler } from './prepare-windows.ts';
import { contextOfSpans, spanCount } from './surroundings.ts';

/** What the flows' own head gets wrong counts as much as what the window's does. */
const flowLossWeight = 1;

/** `windows` [batch, 10, 78] raw, `flows_seen` [batch] and `flow_context` [batch, 10, 7] → `scores` [batch] = P(attack), `probabilities` [batch, 11]. */
export function buildDetectGraph(network: TrainedNetwork): Buffer {
  const graph = new GraphBuilder('detect');
  const logits = fusedForward(graph, cleanWindows(graph, windowInputs(graph)), network);
  const probabilities = graph.one('Softmax', [logits], logits.shape, { axis: 1 });
  const attacks = graph.constant([0, ...new Float32Array(classCount - 1).fill(1)], [classCount]);
  graph.output('scores', graph.reduceSum(graph.mul(probabilities, attacks), [1], false));
  graph.output('probabilities', probabilities);
  return graph.build();
}

/**
 * Integrated gradients of the logit of the score, on the straight way from ten mean flows (all zeros, standardised) of old friends in
 * quiet times (see `surroundings.ts`; straight by logarithms) to one window: `windows` [1, 10, 78], `flows_seen` [1], `flow_context` [1, 10, 7], and the points
 * `alphas` [steps] in 0…1 with `weights` [steps] that sum to 1 → `attributions` [10, 78], `context_attributions` [10, 7], and `logits` [steps], the logit
 * at each point. Both together sum to the difference that the window makes. Who is the same peer, directions, and whether anything is known
 * stay as in the window all the way, so that peers and directions have attributions of 0; what is not known has them too.
 */
export function buildExplainGraph(network: TrainedNetwork): Buffer {
  const graph = new GraphBuilder('explain');
  const alphas = graph.reshape(graph.input('alphas', ['steps']), ['batch', 1, 1]);
  const weights = graph.reshape(graph.input('weights', ['steps']), ['batch', 1, 1]);
  const one = prepareWindows(graph, windowInputs(graph, 1), network.scaler);
  const { moving, weight, standing } = firstSums(graph, one, network);
  // From here on the batch is the steps of one window. The first layer is linear in what moves.
  const sums = graph.add(graph.mul(graph.matMul(moving, weight), alphas), standing);
  const onePerStep = graph.add(graph.mul(graph.reshape(alphas, ['batch', 1]), graph.scalar(0)), graph.scalar(1));
  const flowsSeen = graph.mul(one.flowsSeen, onePerStep);
  const logit = attackLogit(
    graph,
    fusedLayers(graph, { sums, places: one.places, flowsSeen }, network, convolveByTaps),
  );
  const [gradient] = appendGradients(graph, logit, onePerStep, [sums]) as [Tensor];
  const mean = graph.reduceSum(graph.mul(gradient, weights), [0], false);
  const way = graph.reshape(moving, [windowLength, featureCount + spanCount]);
  const moved = graph.mul(graph.matMul(mean, graph.transpose(weight, [1, 0])), way);
  const [ofFeatures, ofSpans] = graph.split(moved, [featureCount, spanCount], 1) as [Tensor, Tensor];
  graph.output('attributions', ofFeatures);
  graph.output('context_attributions', graph.matMul(ofSpans, graph.matrix(contextOfSpans())));
  graph.output('logits', { ...graph.reshape(logit, ['batch']), shape: ['steps'] });
  return graph.build();
}

/** Of the score: log(P(attack) / P(benign)), [batch, 1]. */
function attackLogit(graph: GraphBuilder, logits: Tensor): Tensor {
  const [benign, attack] = graph.split(logits, [1, classCount - 1], 1) as [Tensor, Tensor];
  return graph.sub(graph.one('ReduceLogSumExp', [attack], ['batch', 1], { axes: [1], keepdims: 1 }), benign);
}

/**
 * One training step. The parameters are those inside plus `delta`, which is all that a step changes: a round of
 * federated training sends just that. Inputs: `windows`, `flows_seen`, `flow_context`, `targets` [batch, 11] (one-hot
 * rows times class weight), `flow_targets` [batch, 10, 11] (the same of each flow; all zeros where nobody knows), `keep` [batch, summaryWidth] (dropout: 0 for what is dropped, else 1 / share kept; all ones for none),
 * `delta`, `momentum` and `velocity` [parameters] (zeros at first), `learning_rate` (bias-corrected), `clip_norm`, and
 * `proximal` (FedProx: pulls `delta` towards 0). Outputs: `next_delta`, `next_momentum`, `next_velocity`, `loss` (mean
 * over the weight of the targets), `gradient_norm`, `logits` [batch, 11].
 */
export function buildTrainGraph(scaler: Scaler, initial: Float32Array, design = wholeDesign): Buffer {
  const graph = new GraphBuilder('train');
  const prepared = prepareWindows(graph, windowInputs(graph), scaler);
  const targets = graph.input('targets', ['batch', classCount]);
  const flowTargets = graph.input('flow_targets', ['batch', windowLength, classCount]);
  const keep = graph.input('keep', ['batch', summaryWidth]);
  const state = {
    parameters: graph.input('delta', [parameterCount]),
    momentum: graph.input('momentum', [parameterCount]),
    velocity: graph.input('velocity', [parameterCount]),
  };
  const learningRate = graph.input('learning_rate', []);
  const clipNorm = graph.input('clip_norm', []);
  const proximal = graph.input('proximal', []);

  const flat = graph.add(graph.constant(initial, [parameterCount], 'initial_parameters'), state.parameters);
  const { logits, flowLogits } = plainForward(graph, prepared, splitParameters(graph, flat), design, keep);
  const ofWindows = crossEntropy(graph, logits, targets, 0);
  // Without a single target the sum of their weights is 0.
  const ofFlows = crossEntropy(graph, flowLogits, flowTargets, 1e-6);
  const loss = graph.add(ofWindows, graph.mul(ofFlows, graph.scalar(flowLossWeight)));

  const [lossGradient] = appendGradients(graph, loss, graph.constant([1], [1, 1]), [flat]) as [Tensor];
  const gradient = graph.add(lossGradient, graph.mul(state.parameters, proximal));
  const next = appendAdam(graph, state, gradient, learningRate, clipNorm);
  graph.output('next_delta', next.parameters);
  graph.output('next_momentum', next.momentum);
  graph.output('next_velocity', next.velocity);
  graph.output('loss', graph.reshape(loss, [1]));
  graph.output('gradient_norm', next.norm);
  graph.output('logits', logits);
  return graph.build();
}

/** [1, 1]: the mean over the weight of the targets, which may be `leastWeight` at least. */
function crossEntropy(graph: GraphBuilder, logits: Tensor, targets: Tensor, leastWeight: number): Tensor {
  const last = logits.shape.length - 1;
  const axes = [...logits.shape.keys()];
  const weight = graph.add(graph.reduceSum(targets, axes, true), graph.scalar(leastWeight));
  const share = graph.unary('Neg', graph.div(targets, weight));
  const logProbabilities = graph.one('LogSoftmax', [logits], logits.shape, { axis: last });
  return graph.reshape(graph.reduceSum(graph.mul(logProbabilities, share), axes, true), [1, 1]);
}
