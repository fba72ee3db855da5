/**
 * From raw windows to what the network looks at: log, standardise, saturate, mask. Inside every graph, so that nobody
 * who scores, explains or trains can do it differently.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextWidth } from '@picket/shared/features/flow-context';
import type { GraphBuilder, Tensor } from './graph-builder.ts';
import { surroundingsOf } from './surroundings.ts';

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
  /** [batch, 10, 5]: age in seconds, number of the peer, direction, recent flows of device and peer; −1 unknown. */
  readonly flowContext: Tensor;
}

export interface PreparedWindows {
  /** [batch, 10, 78]; 0 where a feature is masked or a slot empty. The port's column holds `samePort`. */
  readonly standardised: Tensor;
  /** [batch, 10, 1], 1 where a flow stands. */
  readonly present: Tensor;
  /** [batch, 1] */
  readonly flowsSeen: Tensor;
  /** [batch, 10, surroundingsWidth]; 0 where unknown or a slot is empty. */
  readonly surroundings: Tensor;
}

export function windowInputs(graph: GraphBuilder, batch: 'batch' | 1 = 'batch', name = 'windows'): WindowInputs {
  return {
    windows: graph.input(name, [batch, windowLength, featureCount]),
    flowsSeen: graph.input('flows_seen', [batch]),
    flowContext: graph.input('flow_context', [batch, windowLength, flowContextWidth]),
  };
}

/**
 * log1p, standardise, saturate, and blank the empty slots. NaN, infinities and whatever is negative (a rate without
 * duration, a TCP window that never was) count as 0, whoever hands the window in. A port's number says which service a
 * lab attacked; in its place stands how much of the window goes to the same port, which a scan cannot hide.
 */
export function prepareWindows(graph: GraphBuilder, inputs: WindowInputs, scaler: Scaler): PreparedWindows {
  const shape = inputs.windows.shape;
  const batch = shape[0]!;
  const flowsSeen = graph.reshape(inputs.flowsSeen, [batch, 1]);
  const present = presence(graph, flowsSeen);
  const zero = graph.scalar(0);
  const usable = graph.one(
    'And',
    [
      graph.one('GreaterOrEqual', [inputs.windows, zero], shape),
      graph.one('LessOrEqual', [inputs.windows, graph.scalar(largestFloat)], shape),
    ],
    shape,
  );
  const values = graph.one('Where', [usable, inputs.windows, zero], shape);
  const logarithms = graph.unary('Log', graph.add(values, graph.scalar(1)));
  const centred = graph.sub(logarithms, graph.constant(scaler.mean, [featureCount]));
  const scaled = graph.mul(centred, graph.constant(scaler.scale, [featureCount]));
  const capped = graph.one('Min', [scaled, graph.constant(scaler.ceiling, [featureCount])], shape);
  const clipped = graph.one('Clip', [capped, graph.scalar(-clipLimit), graph.scalar(clipLimit)], shape);
  const [port] = graph.split(values, [1, featureCount - 1], 2) as [Tensor, Tensor];
  const [, others] = graph.split(clipped, [1, featureCount - 1], 2) as [Tensor, Tensor];
  const known = graph.concat([samePort(graph, port, present, flowsSeen), others], 2);
  const surroundings = surroundingsOf(graph, inputs.flowContext, present);
  return { standardised: graph.mul(known, present), present, flowsSeen, surroundings };
}

/** [batch, 10, 1]: 1 in the last `flowsSeen` slots. */
function presence(graph: GraphBuilder, flowsSeen: Tensor): Tensor {
  const batch = flowsSeen.shape[0]!;
  const slotNumbers = graph.constant(
    Array.from({ length: windowLength }, (_, slot) => slot),
    [1, windowLength],
  );
  const reach = graph.add(slotNumbers, flowsSeen);
  const filled = graph.one('GreaterOrEqual', [reach, graph.scalar(windowLength)], [batch, windowLength]);
  const numbers = graph.one('Cast', [filled], [batch, windowLength], { to: 1 });
  return graph.reshape(numbers, [batch, windowLength, 1]);
}

/** Share of the window's flows that go to the port of this one, from −1 (none other) to 1 (all). */
function samePort(graph: GraphBuilder, port: Tensor, present: Tensor, flowsSeen: Tensor): Tensor {
  const batch = port.shape[0]!;
  const pairs = [batch, windowLength, windowLength];
  const equal = graph.one('Equal', [port, graph.transpose(port, [0, 2, 1])], pairs);
  const counted = graph.mul(graph.one('Cast', [equal], pairs, { to: 1 }), graph.transpose(present, [0, 2, 1]));
  const share = graph.div(graph.reduceSum(counted, [2], true), graph.reshape(flowsSeen, [batch, 1, 1]));
  return graph.sub(graph.mul(share, graph.scalar(2)), graph.scalar(1));
}
