/**
 * What the network makes of a flow's place: whether one stands in the slot, how many of the window's flows go to the same
 * port, and from `flow_context` how long ago it began and how long after the one before it, how many of the flows are with
 * the same peer, and which way it went. Constants to the gradients: attributions tell of features, in the surroundings
 * in which the flow stood. Computed with the windows in the last dimension, where all of them stand side by side: an
 * operator over [10, 10, batch] runs along them, over [batch, 10, 10] it would start anew every ten numbers.
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
const seconds = { least: 0.05, middle: 1, scale: 1 / 3 } as const;
/** Counts from 0 to a hundred: −1 to 1.3. */
const counts = { least: 1, middle: 2, scale: 1 / 2 } as const;
/** Age, pause, pause of the peer; recent flows of the device and of the peer. */
const scales = [seconds, seconds, seconds, counts, counts] as const;
/** A pause as long as this, seconds, stands for none: nothing came from that peer before. */
const longest = 7200;
/** An age that nobody knows, seconds, times the number of the slot: further from each other and from any known than any two. */
const farAway = 1e9;
const neverThatLong = farAway / 2;

export interface PlaceInputs {
  /** [batch, 10, 5] */
  readonly context: Tensor;
  /** [batch, 10, 1]; finite, not negative */
  readonly port: Tensor;
  /** [batch] */
  readonly flowsSeen: Tensor;
}

/** Columns of `placesOf`, in this order. */
export const placeColumns = { samePort: 1, present: 1, surroundings: surroundingsWidth, absent: 1 } as const;

/**
 * [batch, 10, 13]: share of the window's flows that go to the port of this one, from −1 (none) to 1 (all); 1 where a flow
 * stands; its surroundings, 0 where unknown or a slot is empty; 1 where no flow stands.
 */
export function placesOf(graph: GraphBuilder, { context, port, flowsSeen }: PlaceInputs): Tensor {
  const batch = context.shape[0]!;
  const slots = [...Array.from({ length: windowLength }).keys()];
  const flows = graph.reshape(flowsSeen, [1, 1, batch]);
  const raw = graph.transpose(graph.concat([context, port], 2), [1, 2, 0]);
  const stands = graph.compare(
    'GreaterOrEqual',
    flows,
    graph.constant(
      slots.map((slot) => windowLength - slot),
      [windowLength, 1, 1],
    ),
  );
  const usable = graph.one(
    'And',
    [graph.compare('GreaterOrEqual', raw, graph.constant([0], [1, 1, 1])), stands],
    raw.shape,
  );
  // No two unknown ages, peers or ports are alike.
  const instead = slots.flatMap((slot) => [farAway * (slot + 1), -1 - slot, -1, 0, 0, -1 - slot]);
  const values = graph.one('Where', [usable, raw, graph.constant(instead, [windowLength, 6, 1])], raw.shape);
  const [age, peer, way, recent, samePort] = graph.split(values, [1, 1, 1, 2, 1], 1) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const columns = graph.split(graph.numbers(usable), [1, 1, 1, 2, 1], 1);
  const [ageKnown, peerKnown, , recentKnown, present] = columns as [Tensor, Tensor, Tensor, Tensor, Tensor];

  const across = (tensor: Tensor): Tensor => graph.reshape(tensor, [1, windowLength, batch]);
  /** Flow by flow, of all flows: from −1 (none) to 1 (all). */
  const shareOf = (alike: Tensor, all: Tensor): Tensor =>
    graph.sub(
      graph.mul(graph.div(graph.reduceSum(graph.numbers(alike), [1], true), all), graph.scalar(2)),
      graph.scalar(1),
    );
  const portsAlike = graph.compare('Equal', samePort, across(samePort));
  const peersAlike = graph.compare('Equal', peer, across(peer));
  // At least one where it counts: the flow itself.
  const peersKnown = graph.add(graph.reduceSum(peerKnown, [0], true), graph.scalar(1e-6));

  // Seconds from flow j to flow i.
  const since = graph.sub(across(age), age);
  const notItself = slots.flatMap((i) => slots.map((j) => (i === j ? 2 * windowLength * farAway : 0)));
  const isBefore = graph.compare('GreaterOrEqual', since, graph.constant(notItself, [windowLength, windowLength, 1]));
  const ofPeerBefore = graph.one('And', [peersAlike, isBefore], since.shape);
  // The smallest of them, as the largest of what is left of the longest.
  const left = graph.one(
    'Where',
    [ofPeerBefore, graph.sub(graph.scalar(longest), since), graph.scalar(0)],
    since.shape,
  );
  const pauseOfPeer = graph.sub(graph.scalar(longest), graph.reduceMax(left, 1));

  const before = slots.flatMap((i) => slots.map((j) => (j === i - 1 ? 1 : 0)));
  const ofBefore = graph.mul(since, graph.constant(before, [windowLength, windowLength, 1]));
  const difference = graph.reduceSum(ofBefore, [1], true);
  const pause = graph.mul(difference, graph.unary('Sign', difference));
  const limits = slots.map((slot) => (slot === 0 ? -1 : neverThatLong));
  const pauseKnown = graph.numbers(graph.compare('LessOrEqual', pause, graph.constant(limits, [windowLength, 1, 1])));

  const scaled = logarithms(graph, graph.concat([age, pause, pauseOfPeer, recent], 1));
  const known = graph.concat([ageKnown, pauseKnown, graph.mul(ageKnown, peerKnown), recentKnown], 1);
  const [scaledAge, scaledPause, scaledPauseOfPeer, scaledRecent] = graph.split(
    graph.mul(scaled, known),
    [1, 1, 1, 2],
    1,
  ) as [Tensor, Tensor, Tensor, Tensor];
  const names = graph.constant([...FlowDirection.options.keys()], [1, ways, 1]);
  const places = graph.concat(
    [
      shareOf(portsAlike, flows),
      present,
      scaledAge,
      ageKnown,
      scaledPause,
      graph.mul(shareOf(peersAlike, peersKnown), peerKnown),
      scaledPauseOfPeer,
      scaledRecent,
      graph.numbers(graph.compare('Equal', way, names)),
      graph.sub(graph.scalar(1), present),
    ],
    1,
  );
  return graph.transpose(places, [2, 0, 1]);
}

/** Of [10, 5, batch], each row on its scale. */
function logarithms(graph: GraphBuilder, tensor: Tensor): Tensor {
  const row = (of: (scale: (typeof scales)[number]) => number): Tensor =>
    graph.constant(scales.map(of), [1, scales.length, 1]);
  const raised = graph.unary(
    'Log',
    graph.add(
      tensor,
      row(({ least }) => least),
    ),
  );
  return graph.mul(
    graph.sub(
      raised,
      row(({ middle }) => middle),
    ),
    row(({ scale }) => scale),
  );
}
