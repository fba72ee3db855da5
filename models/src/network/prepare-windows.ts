/**
 * From raw windows to what the network looks at: log, standardise, saturate, mask. Inside every graph, so that nobody
 * who scores, explains or trains can do it differently.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextWidth } from '@picket/shared/features/flow-context';
import type { GraphBuilder, Tensor } from './graph-builder.ts';
import { placeMap, placeParts, placesOf } from './surroundings.ts';

/** Of log1p(max(feature, 0)), over the training flows. A masked feature has scale 0. */
export interface Scaler {
  readonly mean: Float32Array;
  /** 1 / standard deviation. */
  readonly scale: Float32Array;
  /** Standardised value beyond which training saw nothing: larger ones count as this. */
  readonly ceiling: Float32Array;
}

/** Standardised values saturate here at the latest. */
export const clipLimit = 4;
const largestFloat = 3.4e38;

export interface WindowInputs {
  /** [batch, 10, 78], raw. */
  readonly windows: Tensor;
  /** [batch], 1 to 10; present flows stand in the last slots. */
  readonly flowsSeen: Tensor;
  /** [batch, 10, 7]: age in seconds, number of the peer, direction, recent flows of device and peer; −1 unknown. */
  readonly flowContext: Tensor;
}

/** Windows without hostile numbers, not yet standardised. */
export interface CleanWindows {
  /** [batch, 10, 78] of log1p, whatever the slot holds. */
  readonly logarithms: Tensor;
  /** [batch, 10, 22], see `placesOf`. */
  readonly places: Tensor;
  /** [batch, 1] */
  readonly flowsSeen: Tensor;
}

export interface PreparedWindows {
  /** [batch, 10, 78]; 0 where a feature is masked or a slot empty. The port's column holds how many go to the same port. */
  readonly standardised: Tensor;
  /** [batch, 10, 1], 1 where a flow stands. */
  readonly present: Tensor;
  /** [batch, 1] */
  readonly flowsSeen: Tensor;
  /** [batch, 10, surroundingsWidth]; 0 where unknown or a slot is empty. */
  readonly surroundings: Tensor;
  /** [batch, 10, 22], of which these were taken: see `placesOf`. */
  readonly places: Tensor;
}

export function windowInputs(graph: GraphBuilder, batch: 'batch' | 1 = 'batch', name = 'windows'): WindowInputs {
  return {
    windows: graph.input(name, [batch, windowLength, featureCount]),
    flowsSeen: graph.input('flows_seen', [batch]),
    flowContext: graph.input('flow_context', [batch, windowLength, flowContextWidth]),
  };
}

/**
 * NaN, infinities and whatever is negative (a rate without duration, a TCP window that never was) count as 0, whoever
 * hands the window in.
 */
export function cleanWindows(graph: GraphBuilder, inputs: WindowInputs): CleanWindows {
  const { windows, flowsSeen, flowContext } = inputs;
  const finite = graph.compare('LessOrEqual', windows, graph.scalar(largestFloat));
  const values = graph.unary('Relu', graph.one('Where', [finite, windows, graph.scalar(0)], windows.shape));
  const first = Array.from({ length: featureCount }, (_, column) => (column === 0 ? 1 : 0));
  const port = graph.matMul(values, graph.constant(first, [featureCount, 1]));
  return {
    logarithms: graph.unary('Log', graph.add(values, graph.scalar(1))),
    places: placesOf(graph, { context: flowContext, port, flowsSeen }),
    flowsSeen: graph.reshape(flowsSeen, [windows.shape[0]!, 1]),
  };
}

/**
 * Standardise, saturate, and blank the empty slots. A port's number says which service a lab attacked; in its place stands
 * how much of the window goes to the same port, which a scan cannot hide.
 */
export function prepareWindows(graph: GraphBuilder, inputs: WindowInputs, scaler: Scaler): PreparedWindows {
  const { logarithms, places, flowsSeen } = cleanWindows(graph, inputs);
  const seen = graph.matMul(places, graph.matrix(placeMap()));
  const [samePort, present, surroundings] = graph.split(seen, placeParts, 2) as [Tensor, Tensor, Tensor];
  const centred = graph.sub(logarithms, graph.constant(scaler.mean, [featureCount]));
  const scaled = graph.mul(centred, graph.constant(scaler.scale, [featureCount]));
  const capped = graph.one('Min', [scaled, graph.constant(scaler.ceiling, [featureCount])], scaled.shape);
  const clipped = graph.one('Clip', [capped, graph.scalar(-clipLimit), graph.scalar(clipLimit)], scaled.shape);
  const [, others] = graph.split(clipped, [1, featureCount - 1], 2) as [Tensor, Tensor];
  const known = graph.concat([samePort, others], 2);
  return { standardised: graph.mul(known, present), present, flowsSeen, surroundings, places };
}
