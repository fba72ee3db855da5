/**
 * What the network makes of `flow_context`: how long ago each flow began and how long after the one before it, how many
 * of the window's flows are with the same peer, and which way it went. Constants to the gradients, like the presence of a
 * flow: attributions tell of features, in the surroundings in which the flow stood.
 */
import { FlowDirection } from '@picket/shared/contract/address';
import { windowLength } from '@picket/shared/features/feature-schema';
import type { GraphBuilder, Tensor } from './graph-builder.ts';

const ways = FlowDirection.options.length;
/**
 * Age, whether it is known, pause, share of the peer, pause since that peer's flow before, recent flows of the device and of
 * the peer, and one for each direction.
 */
export const surroundingsWidth = 7 + ways;

/** Seconds on a logarithmic scale from about a twentieth to hours: −1.3 to 2.4. */
const briefest = 0.05;
const middle = 1;
const spread = 3;
/** A pause as long as this, seconds, stands for none: nothing came from that peer before. */
const longest = 7200;

/** [batch, 10, surroundingsWidth] of `context` [batch, 10, 5] and `present` [batch, 10, 1]. */
export function surroundingsOf(graph: GraphBuilder, context: Tensor, present: Tensor): Tensor {
  const batch = context.shape[0]!;
  const columns = graph.split(context, [1, 1, 1, 1, 1], 2);
  const [age, peer, direction, ofDevice, ofPeer] = columns as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const known = (tensor: Tensor): Tensor =>
    graph.mul(numbers(graph, graph.one('GreaterOrEqual', [tensor, graph.scalar(0)], tensor.shape)), present);
  const scaled = (seconds: Tensor): Tensor =>
    graph.mul(
      graph.sub(graph.unary('Log', graph.add(seconds, graph.scalar(briefest))), graph.scalar(middle)),
      graph.scalar(1 / spread),
    );

  /** Counts from 0 to a hundred: −1 to 1.3. */
  const counted = (count: Tensor): Tensor => {
    const logarithm = graph.unary('Log', graph.add(graph.unary('Relu', count), graph.scalar(1)));
    const scaledCount = graph.mul(graph.sub(logarithm, graph.scalar(2)), graph.scalar(0.5));
    return graph.mul(scaledCount, known(count));
  };

  const ageKnown = known(age);
  const seconds = graph.mul(graph.unary('Relu', age), ageKnown);
  const pauseKnown = graph.mul(ageKnown, oneLater(graph, ageKnown));
  const difference = graph.sub(oneLater(graph, seconds), seconds);
  const pause = graph.add(graph.unary('Relu', difference), graph.unary('Relu', graph.unary('Neg', difference)));

  const peerKnown = known(peer);
  const others = graph.transpose(peerKnown, [0, 2, 1]);
  const pairs = [batch, windowLength, windowLength];
  const equal = numbers(graph, graph.one('Equal', [peer, graph.transpose(peer, [0, 2, 1])], pairs));
  const alike = graph.reduceSum(graph.mul(equal, others), [2], true);
  // At least one where it counts: the flow itself.
  const all = graph.add(graph.reduceSum(others, [2], true), graph.scalar(1e-6));
  const share = graph.sub(graph.mul(graph.div(alike, all), graph.scalar(2)), graph.scalar(1));

  // Seconds from flow j to flow i; where j is of another peer, later, unknown or i itself, the longest there is.
  const since = graph.sub(graph.transpose(seconds, [0, 2, 1]), seconds);
  const isBefore = numbers(graph, graph.one('GreaterOrEqual', [since, graph.scalar(0)], pairs));
  const isOther = graph.constant(
    Array.from({ length: windowLength ** 2 }, (_, at) => (at % (windowLength + 1) === 0 ? 0 : 1)),
    [1, windowLength, windowLength],
  );
  const agesKnown = graph.mul(graph.transpose(ageKnown, [0, 2, 1]), ageKnown);
  const counts = graph.mul(graph.mul(graph.mul(equal, others), isBefore), graph.mul(isOther, agesKnown));
  // The smallest of them, as the largest of what is left of the longest.
  const left = graph.mul(graph.unary('Relu', graph.sub(graph.scalar(longest), since)), counts);
  const pauseOfPeer = graph.sub(graph.scalar(longest), graph.reduceMax(left, 2));

  const names = graph.constant([...FlowDirection.options.keys()], [1, 1, ways]);
  const way = numbers(graph, graph.one('Equal', [direction, names], [batch, windowLength, ways]));
  return graph.concat(
    [
      graph.mul(scaled(seconds), ageKnown),
      ageKnown,
      graph.mul(scaled(pause), pauseKnown),
      graph.mul(share, peerKnown),
      graph.mul(scaled(pauseOfPeer), graph.mul(peerKnown, ageKnown)),
      counted(ofDevice),
      counted(ofPeer),
      graph.mul(way, present),
    ],
    2,
  );
}

/** [batch, 10, 1]: of the slot before; 0 in the first. */
function oneLater(graph: GraphBuilder, tensor: Tensor): Tensor {
  const [kept, dropped] = graph.split(tensor, [windowLength - 1, 1], 1) as [Tensor, Tensor];
  return graph.concat([graph.mul(dropped, graph.scalar(0)), kept], 1);
}

function numbers(graph: GraphBuilder, truths: Tensor): Tensor {
  return graph.one('Cast', [truths], truths.shape, { to: 1 });
}
