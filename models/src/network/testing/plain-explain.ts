/**
 * Integrated gradients through the network in plain operators, number by number: what the explain graph is held against. Where the way
 * begins is said by a window of quiet flows that the caller hands in, instead of by the network's weights.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { plainForward, splitParameters } from '../cnn-lstm.ts';
import type { TrainedNetwork } from '../cnn-lstm.ts';
import { appendGradients } from '../gradients.ts';
import { GraphBuilder } from '../graph-builder.ts';
import type { Tensor } from '../graph-builder.ts';
import { Matrix } from '../matrix.ts';
import { classCount, parameterCount } from '../network-parameters.ts';
import { prepareWindows, windowInputs } from '../prepare-windows.ts';
import { surroundingsWidth } from '../surroundings.ts';

/** Where the spans stand among the surroundings: age, pause, pause of the peer, recent flows of both, how long and how late the peer. */
const spanColumns = [0, 2, 4, 5, 6, 7, 8] as const;

/**
 * Inputs are those of `buildExplainGraph` and `quiet_spans` [1, 10, 7], the spans as the network sees them where the way begins; outputs
 * `attributions` [10, 78], `span_attributions` [10, 7] and `logits` [steps].
 */
export function buildPlainExplainGraph(network: TrainedNetwork): Buffer {
  const graph = new GraphBuilder('plain_explain');
  const alphas = graph.reshape(graph.input('alphas', ['steps']), ['batch', 1, 1]);
  const weights = graph.reshape(graph.input('weights', ['steps']), ['batch', 1, 1]);
  const one = prepareWindows(graph, windowInputs(graph, 1), network.scaler);
  const path = graph.mul(one.standardised, alphas);
  const pick = new Matrix(surroundingsWidth, spanColumns.length);
  for (const [span, column] of spanColumns.entries()) pick.put(column, span, 1);
  const quiet = graph.input('quiet_spans', [1, windowLength, spanColumns.length]);
  const apart = graph.sub(graph.matMul(one.surroundings, graph.matrix(pick)), quiet);
  const ahead = graph.mul(apart, graph.sub(graph.scalar(1), alphas));
  const around = graph.sub(one.surroundings, graph.matMul(ahead, graph.matrix(pick.transposed())));
  const nothing = graph.mul(alphas, graph.scalar(0));
  const spread = (tensor: Tensor): Tensor => graph.add(tensor, nothing);
  const flowsSeen = graph.reshape(spread(graph.reshape(one.flowsSeen, [1, 1, 1])), ['batch', 1]);
  const prepared = {
    standardised: path,
    present: spread(one.present),
    flowsSeen,
    surroundings: around,
    places: one.places,
  };
  const parameters = splitParameters(graph, graph.constant(network.parameters, [parameterCount]));
  const { logits } = plainForward(graph, prepared, parameters, network.design);
  const { temperature, offset } = network.calibration;
  const offsets = graph.constant([0, ...new Float32Array(classCount - 1).fill(offset)], [classCount]);
  const calibrated = graph.add(graph.mul(logits, graph.scalar(1 / temperature)), offsets);
  const [benign, attack] = graph.split(calibrated, [1, classCount - 1], 1) as [Tensor, Tensor];
  const any = graph.one('ReduceLogSumExp', [attack], ['batch', 1], { axes: [1], keepdims: 1 });
  const logit = graph.sub(any, benign);
  const ones = graph.add(graph.mul(logit, graph.scalar(0)), graph.scalar(1));
  const [ofFeatures, ofSurroundings] = appendGradients(graph, logit, ones, [path, around]) as [Tensor, Tensor];
  const mean = (gradient: Tensor): Tensor => graph.reduceSum(graph.mul(gradient, weights), [0], false);
  const flat = (tensor: Tensor, width: number): Tensor => graph.reshape(tensor, [windowLength, width]);
  graph.output('attributions', graph.mul(mean(ofFeatures), flat(one.standardised, featureCount)));
  const ofSpans = graph.matMul(mean(ofSurroundings), graph.matrix(pick));
  graph.output('span_attributions', graph.mul(ofSpans, flat(apart, spanColumns.length)));
  graph.output('logits', { ...graph.reshape(logit, ['batch']), shape: ['steps'] });
  return graph.build();
}
