/**
 * What each of the 78 features is guessed from in a pack of format 3: features that stand earlier in the table, times and
 * port of the same row, and one earlier row that is like it. A wrong guess costs bytes and nothing else: the pack keeps the
 * difference. The table and its order are part of the format: another one needs a new format.
 */
import { type Way, backward, flow, forward, keyFeatures } from './feature-columns.ts';
import {
  type Guess,
  bothWays,
  column,
  gapDeviation,
  inProportion,
  lengthDeviation,
  lengthVariance,
  maxGap,
  maxLength,
  meanGap,
  minGap,
  minLength,
  ofOneWay,
  ofSpread,
  packetsOf,
  perSecond,
  perSubflow,
  perSubflowLike,
  quotient,
  ratio,
  same,
  sum,
} from './guess-formulas.ts';

/** Of a direction that sent nothing the other one tells it. */
const shortestOfBoth: Guess = (v, at) => {
  const ofForward = v[forward.length.min]![at]!;
  const ofBackward = v[backward.length.min]![at]!;
  if (v[forward.packets]![at] === 0) return ofBackward;
  return v[backward.packets]![at] === 0 ? ofForward : Math.min(ofForward, ofBackward);
};
const longestOfBoth: Guess = (v, at) => Math.max(v[forward.length.max]![at]!, v[backward.length.max]![at]!);
const bytesOfBoth = sum(forward.bytes, backward.bytes);
/** Most packets of a connection have it: those that the row has more than the one that is like it have it too. */
const acks: Guess = (v, at, like) => bothWays(v, at) - bothWays(v, like) + v[flow.ack]![like]!;
const asLike = (feature: number): readonly [number, Guess] => [feature, same(feature)];

/** Feature and how it is guessed, in the order in which they are decoded. */
export const guesses: readonly (readonly [feature: number, guess: Guess])[] = [
  [flow.port, column(keyFeatures.port)],
  [flow.duration, column(keyFeatures.duration)],
  asLike(forward.packets),
  asLike(backward.packets),
  [forward.bytes, inProportion(forward.bytes, forward.packets)],
  [backward.bytes, inProportion(backward.bytes, backward.packets)],
  ...[forward, backward].flatMap((way): [number, Guess][] => [
    [way.length.max, maxLength(way)],
    [way.length.min, minLength(way)],
    [way.length.mean, quotient(way.bytes, way.packets)],
    [way.length.deviation, lengthDeviation(way)],
  ]),
  [flow.bytesPerSecond, perSecond(bytesOfBoth, -1)],
  [flow.packetsPerSecond, perSecond(bothWays, -1)],
  [flow.gap.mean, meanGap(flow.gap, bothWays)],
  [flow.gap.max, maxGap(flow.gap, bothWays)],
  [flow.gap.min, minGap(flow.gap, bothWays)],
  [flow.gap.deviation, gapDeviation(flow.gap, bothWays)],
  ...gapsOfWay(forward, backward, flow.duration),
  ...gapsOfWay(backward, forward, forward.gap.total),
  asLike(forward.psh),
  asLike(backward.psh),
  asLike(forward.urg),
  asLike(backward.urg),
  [forward.headerBytes, inProportion(forward.headerBytes, forward.packets)],
  [backward.headerBytes, inProportion(backward.headerBytes, backward.packets)],
  [forward.packetsPerSecond, perSecond(packetsOf(forward), 0)],
  [backward.packetsPerSecond, perSecond(packetsOf(backward), 0)],
  [flow.minLength, shortestOfBoth],
  [flow.maxLength, longestOfBoth],
  [flow.meanLength, (v, at, like) => ratio(bytesOfBoth(v, at, like), bothWays(v, at))],
  [flow.deviationOfLength, (v, at, like) => Math.sqrt(lengthVariance(v, at, like))],
  [flow.varianceOfLength, lengthVariance],
  asLike(flow.fin),
  asLike(flow.syn),
  asLike(flow.rst),
  [flow.psh, sum(forward.psh, backward.psh)],
  [flow.ack, acks],
  [flow.urg, sum(forward.urg, backward.urg)],
  asLike(flow.cwr),
  asLike(flow.ece),
  [flow.downPerUp, quotient(backward.packets, forward.packets)],
  [flow.packetSize, column(flow.meanLength)],
  [forward.segment, column(forward.length.mean)],
  [backward.segment, column(backward.length.mean)],
  [flow.forwardHeaderBytesAgain, column(forward.headerBytes)],
  ...[forward, backward].flatMap((way) => [way.bulkBytes, way.bulkPackets, way.bulkRate].map(asLike)),
  [forward.subflowPackets, perSubflowLike],
  [forward.subflowBytes, perSubflow(forward.bytes)],
  [backward.subflowPackets, perSubflow(backward.packets)],
  [backward.subflowBytes, perSubflow(backward.bytes)],
  asLike(forward.initialWindow),
  asLike(backward.initialWindow),
  asLike(flow.forwardDataPackets),
  asLike(flow.forwardMinSegment),
  ...[flow.active, flow.idle].flatMap((times): (readonly [number, Guess])[] => [
    asLike(times.mean),
    asLike(times.deviation),
    [times.max, ofSpread(times.max, times)],
    [times.min, ofSpread(times.min, times)],
  ]),
];

/** `total` is what its gaps together are guessed to be. */
function gapsOfWay(way: Way, other: Way, total: number): [number, Guess][] {
  const { gap } = way;
  const count = packetsOf(way);
  return [
    [gap.total, ofOneWay(way, other, flow.duration, column(total))],
    [gap.mean, meanGap(gap, count)],
    [gap.max, ofOneWay(way, other, flow.gap.max, maxGap(gap, count))],
    [gap.min, ofOneWay(way, other, flow.gap.min, minGap(gap, count))],
    [gap.deviation, ofOneWay(way, other, flow.gap.deviation, gapDeviation(gap, count))],
  ];
}
