/**
 * What the network makes of a flow's place: whether one stands in the slot, how many of the window's flows go to the same
 * port, and from `flow_context` how long ago it began and how long after the one before it, how many of the flows are with
 * the same peer, which way it went, how long the peer is known and how long after the device it came. Attributions tell of the spans among these, from `quiet` on; whatever is a
 * name (which peer, which way, whether anything is known) has no way between two of its values and stays as it is. Computed with the windows in the last dimension, where all of them stand side by side: an
 * operator over [10, 10, batch] runs along them, over [batch, 10, 10] it would start anew every ten numbers.
 */
import { FlowDirection } from '@picket/shared/contract/address';
import { windowLength } from '@picket/shared/features/feature-schema';
import { flowContextWidth } from '@picket/shared/features/flow-context';
import type { GraphBuilder, Tensor } from './graph-builder.ts';
import { Matrix } from './matrix.ts';

const ways = FlowDirection.options.length;
/**
 * Age, whether it is known, pause, share of the peer, pause since that peer's flow before, recent flows of the device and of
 * the peer, how long the peer is known and how long after the device it came, and one for each direction.
 */
export const surroundingsWidth = 9 + ways;

/** Seconds on a logarithmic scale from about a twentieth to hours: −1.3 to 2.4. */
const seconds = { least: 0.05, middle: 1, scale: 1 / 3 } as const;
/** Counts from 0 to a hundred: −1 to 1.3. */
const counts = { least: 1, middle: 2, scale: 1 / 2 } as const;
/** How long somebody is known, seconds: −1 to 1. */
const familiarity = { least: 1, middle: 3.2, scale: 1 / 3.2 } as const;
/**
 * Seconds after which a peer is known for long. Attacks of the range last six minutes, its life half an hour: a network
 * that could tell ten minutes from twenty would learn that from captures, not from attacks.
 */
const longKnown = 600;
/** Seconds after which a peer came late, however long the device is known: captures of attacks are the shorter ones. */
const cameLate = 120;
/** Age, pause, pause of the peer; recent flows of the device and of the peer; how long the peer is known, how late it came. */
const scales = [seconds, seconds, seconds, counts, counts, familiarity, familiarity] as const;
/** A pause as long as this, seconds, stands for none: nothing came from that peer before. */
const longest = 7200;
/**
 * What attributions set out from, in the order of `scales`: an old friend in quiet times. Nothing came before the flow for as long as is told apart,
 * no other flow of late (a count holds the flow itself), the peer known for long and not later than the device.
 */
const quiet = [longest, longest, longest, 1, 1, longKnown, 0] as const;
/** Columns of `flow_context` that the spans are told by. How late a peer came counts as how long it is known. */
const toldBy = [0, 0, 0, 3, 4, 5, 5] as const;
/** An age that nobody knows, seconds, times the number of the slot: further from each other and from any known than any two. */
const farAway = 1e9;
const neverThatLong = farAway / 2;

export interface PlaceInputs {
  /** [batch, 10, 7] */
  readonly context: Tensor;
  /** [batch, 10, 1]; finite, not negative */
  readonly port: Tensor;
  /** [batch] */
  readonly flowsSeen: Tensor;
}

type SevenTensors = [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];

export const spanCount = scales.length;
/** Where the columns of `placesOf` begin. */
const raw = {
  portShare: 0,
  present: 1,
  logarithms: 2,
  known: 2 + spanCount,
  peerShare: 2 + 2 * spanCount,
  peerKnown: 3 + 2 * spanCount,
  ways: 4 + 2 * spanCount,
  absent: 4 + 2 * spanCount + ways,
} as const;
export const placeWidth = raw.absent + 1;
export const [presentColumn, absentColumn] = [raw.present, raw.absent] as const;
/** What the network sees of a place: how many of the window's flows go to its port, whether a flow stands there, its surroundings. */
export const placeParts = [1, 1, surroundingsWidth] as const;

/** The same of what the network sees. */
const seen = { samePort: 0, present: 1, spans: [2, 4, 6, 7, 8, 9, 10], ageKnown: 3, peerShare: 5, ways: 11 } as const;
/** Of them within the surroundings: how long the peer is known and how late it came. */
const familiarityColumns: ReadonlySet<number> = new Set([7, 8]);

/** 1 for each number of the surroundings that the design looks at. */
export function surroundingsUsed(design: {
  readonly surroundings: boolean;
  readonly familiarity: boolean;
}): Float32Array {
  return Float32Array.from({ length: surroundingsWidth }, (_, at) =>
    design.surroundings && (design.familiarity || !familiarityColumns.has(at)) ? 1 : 0,
  );
}

/**
 * From the columns of `placesOf` to what the network sees: [22, 14]. From −1 (no other flow) to 1 (all) go the first and
 * the share of the peer; in empty slots the first is anything.
 */
export function placeMap(): Matrix {
  const map = new Matrix(placeWidth, 2 + surroundingsWidth);
  map.put(raw.portShare, seen.samePort, 2);
  map.put(raw.present, seen.samePort, -1);
  map.put(raw.present, seen.present, 1);
  for (const [index, { middle, scale }] of scales.entries()) {
    map.put(raw.logarithms + index, seen.spans[index]!, scale);
    map.put(raw.known + index, seen.spans[index]!, -middle * scale);
  }
  map.put(raw.known, seen.ageKnown, 1);
  map.put(raw.peerShare, seen.peerShare, 2);
  map.put(raw.peerKnown, seen.peerShare, -1);
  for (let way = 0; way < ways; way++) map.put(raw.ways + way, seen.ways + way, 1);
  return map;
}

/** From the columns of `placesOf` to how far each span is from `quiet`, by its logarithm; 0 where nobody knows: [22, 7]. */
export function fromQuiet(): Matrix {
  const map = new Matrix(placeWidth, spanCount);
  for (const [index, { least }] of scales.entries()) {
    map.put(raw.logarithms + index, index, 1);
    map.put(raw.known + index, index, -Math.log(quiet[index]! + least));
  }
  return map;
}

/** Of weights for the columns of `placesOf`, [22, n], those of the spans: [7, n]. */
export function spanWeight(ofPlaces: Matrix): Matrix {
  return ofPlaces.cut(raw.logarithms, spanCount);
}

/** From what spans add to a score to what the numbers of `flow_context` do: [7, 7]. */
export function contextOfSpans(): Matrix {
  const map = new Matrix(spanCount, flowContextWidth);
  for (const [span, column] of toldBy.entries()) map.put(span, column, 1);
  return map;
}

/**
 * [batch, 10, 22]: share of the window's flows that go to the port of this one; 1 where a flow stands; logarithms of ages,
 * pauses and counts, 0 where unknown; 1 where each of these is known; share of the flows with the same peer; 1 where the
 * peer is known; 1 for the direction; 1 where no flow stands.
 */
export function placesOf(graph: GraphBuilder, { context, port, flowsSeen }: PlaceInputs): Tensor {
  const batch = context.shape[0]!;
  const slots = [...Array.from({ length: windowLength }).keys()];
  const flows = graph.reshape(flowsSeen, [1, 1, batch]);
  const given = graph.transpose(graph.concat([context, port], 2), [1, 2, 0]);
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
    [graph.compare('GreaterOrEqual', given, graph.constant([0], [1, 1, 1])), stands],
    given.shape,
  );
  // No two unknown ages, peers or ports are alike.
  const instead = slots.flatMap((slot) => [farAway * (slot + 1), -1 - slot, -1, 0, 0, 0, 0, -1 - slot]);
  const values = graph.one('Where', [usable, given, graph.constant(instead, [windowLength, 8, 1])], given.shape);
  const widths = [1, 1, 1, 2, 1, 1, 1];
  const [age, peer, way, recent, peerSince, deviceSince, ports] = graph.split(values, widths, 1) as SevenTensors;
  const known = graph.split(graph.numbers(usable), widths, 1) as SevenTensors;
  const [ageKnown, peerKnown, , recentKnown, peerSinceKnown, deviceSinceKnown, present] = known;

  const across = (tensor: Tensor): Tensor => graph.reshape(tensor, [1, windowLength, batch]);
  const shareOf = (alike: Tensor, all: Tensor): Tensor =>
    graph.div(graph.reduceSum(graph.numbers(alike), [1], true), all);
  const portsAlike = graph.compare('Equal', ports, across(ports));
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

  const least = graph.constant(
    scales.map((scale) => scale.least),
    [1, spanCount, 1],
  );
  const most = (tensor: Tensor, seconds: number): Tensor =>
    graph.one('Min', [tensor, graph.scalar(seconds)], tensor.shape);
  const peerFor = most(peerSince, longKnown);
  const cameAfter = most(graph.unary('Relu', graph.sub(deviceSince, peerSince)), cameLate);
  const spans = graph.concat([age, pause, pauseOfPeer, recent, peerFor, cameAfter], 1);
  const spansKnown = graph.concat(
    [
      ageKnown,
      pauseKnown,
      graph.mul(ageKnown, peerKnown),
      recentKnown,
      peerSinceKnown,
      graph.mul(peerSinceKnown, deviceSinceKnown),
    ],
    1,
  );
  const logarithms = graph.mul(graph.unary('Log', graph.add(spans, least)), spansKnown);
  const names = graph.constant([...FlowDirection.options.keys()], [1, ways, 1]);
  const places = graph.concat(
    [
      shareOf(portsAlike, flows),
      present,
      logarithms,
      spansKnown,
      graph.mul(shareOf(peersAlike, peersKnown), peerKnown),
      peerKnown,
      graph.numbers(graph.compare('Equal', way, names)),
      graph.sub(graph.scalar(1), present),
    ],
    1,
  );
  return graph.transpose(places, [2, 0, 1]);
}
