/**
 * How a feature is guessed from others: the arithmetic of profile `fixed` again, so that most guesses are right to the bit.
 * The formulas are part of format 3 of packs: a changed one needs a new format.
 */
import { type Gaps, type Spread, type Way, backward, flow, forward } from './feature-columns.ts';

/** A column for each feature, and the two of `keyFeatures`. Row 0 is all zeros. */
export type FeatureColumns = readonly Float32Array<ArrayBuffer>[];

/** The value in row `at`, where row `like` is the one that is like it. */
export type Guess = (columns: FeatureColumns, at: number, like: number) => number;

type Count = (columns: FeatureColumns, at: number) => number;

// An import is looked up at each use; these are not.
const { duration } = flow;
const forwardPackets = forward.packets;
const backwardPackets = backward.packets;
const forwardSubflow = forward.subflowPackets;

export const ratio = (of: number, to: number): number => (to === 0 ? 0 : of / to);
const deviation = (count: number, sum: number, squares: number): number =>
  count < 2 ? 0 : Math.sqrt(Math.max(0, (count * squares - sum * sum) / (count * (count - 1))));

export const column =
  (index: number): Guess =>
  (v, at) =>
    v[index]![at]!;
export const sum =
  (one: number, other: number): Guess =>
  (v, at) =>
    v[one]![at]! + v[other]![at]!;
export const quotient =
  (of: number, to: number): Guess =>
  (v, at) =>
    ratio(v[of]![at]!, v[to]![at]!);
/** As in the row that is like it. */
export const same =
  (index: number): Guess =>
  (v, _at, like) =>
    v[index]![like]!;
/** As much per `to` as in the row that is like it. */
export const inProportion =
  (index: number, to: number): Guess =>
  (v, at, like) =>
    v[to]![at] === v[to]![like] ? v[index]![like]! : Math.round(ratio(v[index]![like]!, v[to]![like]!) * v[to]![at]!);

/** Sum of squares, as near as a standard deviation of 24 bits tells it. */
const squares = (count: number, total: number, deviationOfThem: number): number =>
  count === 0 ? 0 : Math.round(deviationOfThem * deviationOfThem * (count - 1) + (total * total) / count);

/** Payload lengths of one direction, from its packets and its bytes. */
export const maxLength =
  ({ packets, bytes, length: { max } }: Way): Guess =>
  (v, at, like) =>
    v[packets]![at] === 1 || v[bytes]![at] === 0 ? v[bytes]![at]! : Math.min(v[max]![like]!, v[bytes]![at]!);
export const minLength =
  ({ packets, bytes, length: { max, min } }: Way): Guess =>
  (v, at, like) => {
    const left = v[bytes]![at]! - v[max]![at]!;
    if (v[packets]![at]! < 3) return v[packets]![at] === 1 ? v[max]![at]! : left;
    return Math.min(v[min]![like]!, v[max]![at]!);
  };
export const lengthDeviation =
  ({ packets, bytes, length }: Way): Guess =>
  (v, at, like) =>
    ofFew(v, at, like, v[packets]![at]!, v[bytes]![at]!, length);

/** Standard deviation: up to three values are given by sum, maximum and minimum. */
function ofFew(
  v: FeatureColumns,
  at: number,
  like: number,
  count: number,
  total: number,
  spread: Pick<Spread, 'max' | 'min' | 'deviation'>,
): number {
  const max = v[spread.max]![at]!;
  const min = v[spread.min]![at]!;
  if (max === min) return 0;
  const middle = count === 3 ? total - max - min : 0;
  return count < 4 ? deviation(count, total, max * max + min * min + middle * middle) : v[spread.deviation]![like]!;
}

/** Gaps between packets, of the flow or of one direction. */
export const meanGap =
  ({ total }: Gaps, packets: Count): Guess =>
  (v, at) =>
    packets(v, at) < 2 ? 0 : v[total]![at]! / (packets(v, at) - 1);
export const maxGap =
  ({ total, max }: Gaps, packets: Count): Guess =>
  (v, at, like) =>
    packets(v, at) < 3 ? v[total]![at]! : Math.min(v[max]![like]!, v[total]![at]!);
export const minGap =
  ({ total, max, min }: Gaps, packets: Count): Guess =>
  (v, at, like) => {
    const count = packets(v, at);
    if (count < 4) return count < 3 ? v[max]![at]! : v[total]![at]! - v[max]![at]!;
    return Math.min(v[min]![like]!, v[max]![at]!);
  };
export const gapDeviation =
  (gap: Gaps, packets: Count): Guess =>
  (v, at, like) =>
    ofFew(v, at, like, packets(v, at) - 1, v[gap.total]![at]!, gap);

export const packetsOf =
  ({ packets }: Way): Count =>
  (v, at) =>
    v[packets]![at]!;
/** Packets both ways. */
export const bothWays: Count = (v, at) => v[forwardPackets]![at]! + v[backwardPackets]![at]!;

/** Where all packets go one way, its gaps are those of the flow. */
export const ofOneWay =
  ({ packets }: Way, { packets: others }: Way, ofFlow: number, otherwise: Guess): Guess =>
  (v, at, like) =>
    v[packets]![at]! < 2 ? 0 : v[others]![at] === 0 ? v[ofFlow]![at]! : otherwise(v, at, like);

/** Of all payload lengths, from those of either direction. */
export const lengthVariance: Guess = (v, at) => {
  const count = bothWays(v, at);
  const total = v[forward.bytes]![at]! + v[backward.bytes]![at]!;
  const all = squaresOf(forward, v, at) + squaresOf(backward, v, at);
  return count < 2 ? 0 : Math.max(0, (count * all - total * total) / (count * (count - 1)));
};
const squaresOf = ({ packets, bytes, length }: Way, v: FeatureColumns, at: number): number =>
  squares(v[packets]![at]!, v[bytes]![at]!, v[length.deviation]![at]!);

export const perSecond =
  (of: Guess, withoutDuration: number): Guess =>
  (v, at, like) =>
    v[duration]![at] === 0 ? withoutDuration : of(v, at, like) / (v[duration]![at]! / 1e6);

/** How many subflows there are follows from the forward packets of each. */
const subflows = (v: FeatureColumns, row: number): number =>
  v[forwardSubflow]![row] === 0 ? 0 : Math.round(v[forwardPackets]![row]! / v[forwardSubflow]![row]!);
/** As many subflows as the row that is like it has. */
export const perSubflowLike: Guess = (v, at, like) => ratio(v[forwardPackets]![at]!, subflows(v, like));
export const perSubflow =
  (of: number): Guess =>
  (v, at) =>
    ratio(v[of]![at]!, subflows(v, at));

/** Of active and idle times: one, or all alike, where nothing deviates. */
export const ofSpread =
  (index: number, { mean, deviation: deviationAt }: Spread): Guess =>
  (v, at, like) =>
    v[deviationAt]![at] === 0 ? v[mean]![at]! : v[index]![like]!;
