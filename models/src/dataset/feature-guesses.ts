/**
 * What each of the 78 features is guessed from in a pack of format 3: columns that stand earlier in `columnOrder`, times
 * and port of the same row, and one earlier row that is like it. Guesses repeat the arithmetic of profile `fixed`, so most
 * are right to the bit. A wrong guess costs bytes and nothing else: the pack keeps the difference. They are part of the
 * format: a changed formula needs a new one.
 */

/** Two columns behind those of the 78 features: what times and port of the row say. */
export const keyFeatures = { port: 78, duration: 79 } as const;

/** A column for each feature, and the two of `keyFeatures`. Row 0 is all zeros. */
export type FeatureColumns = readonly Float32Array<ArrayBuffer>[];

/** The value in row `at`, where row `like` is the one that is like it. */
export type Guess = (columns: FeatureColumns, at: number, like: number) => number;

const ratio = (of: number, to: number): number => (to === 0 ? 0 : of / to);
const deviation = (count: number, sum: number, squares: number): number =>
  count < 2 ? 0 : Math.sqrt(Math.max(0, (count * squares - sum * sum) / (count * (count - 1))));

const column =
  (index: number): Guess =>
  (v, at) =>
    v[index]![at]!;
const sum =
  (one: number, other: number): Guess =>
  (v, at) =>
    v[one]![at]! + v[other]![at]!;
const quotient =
  (of: number, to: number): Guess =>
  (v, at) =>
    ratio(v[of]![at]!, v[to]![at]!);
/** As in the row that is like it. */
const same =
  (index: number): Guess =>
  (v, _at, like) =>
    v[index]![like]!;
/** As much per `to` as in the row that is like it. */
const inProportion =
  (index: number, to: number): Guess =>
  (v, at, like) =>
    v[to]![at] === v[to]![like] ? v[index]![like]! : Math.round(ratio(v[index]![like]!, v[to]![like]!) * v[to]![at]!);

/** Sum of squares, as near as a standard deviation of 24 bits tells it. */
const squares = (count: number, total: number, deviationOfThem: number): number =>
  count === 0 ? 0 : Math.round(deviationOfThem * deviationOfThem * (count - 1) + (total * total) / count);

/** Payload lengths of one direction from its packets, its bytes and the place of its maximum. */
const maxLength =
  (packets: number, bytes: number, max: number): Guess =>
  (v, at, like) =>
    v[packets]![at] === 1 || v[bytes]![at] === 0 ? v[bytes]![at]! : Math.min(v[max]![like]!, v[bytes]![at]!);
const minLength =
  (packets: number, bytes: number, max: number): Guess =>
  (v, at, like) => {
    const left = v[bytes]![at]! - v[max]![at]!;
    if (v[packets]![at]! < 3) return v[packets]![at] === 1 ? v[max]![at]! : left;
    return Math.min(v[max + 1]![like]!, v[max]![at]!);
  };
const lengthDeviation =
  (packets: number, bytes: number, max: number): Guess =>
  (v, at, like) =>
    ofFew(v, at, like, v[packets]![at]!, v[bytes]![at]!, max, max + 1, max + 3);

/** Standard deviation: up to three values are given by sum, maximum and minimum. */
function ofFew(
  v: FeatureColumns,
  at: number,
  like: number,
  count: number,
  total: number,
  maxAt: number,
  minAt: number,
  deviationAt: number,
): number {
  const max = v[maxAt]![at]!;
  const min = v[minAt]![at]!;
  if (max === min) return 0;
  const middle = count === 3 ? total - max - min : 0;
  return count < 4 ? deviation(count, total, max * max + min * min + middle * middle) : v[deviationAt]![like]!;
}

/** Gaps between packets: of the flow (total is its duration) and of one direction, whose total stands before the mean. */
const meanGap =
  (total: number, packets: (v: FeatureColumns, at: number) => number): Guess =>
  (v, at) =>
    packets(v, at) < 2 ? 0 : v[total]![at]! / (packets(v, at) - 1);
const maxGap =
  (total: number, max: number, packets: (v: FeatureColumns, at: number) => number): Guess =>
  (v, at, like) =>
    packets(v, at) < 3 ? v[total]![at]! : Math.min(v[max]![like]!, v[total]![at]!);
const minGap =
  (total: number, max: number, packets: (v: FeatureColumns, at: number) => number): Guess =>
  (v, at, like) => {
    const count = packets(v, at);
    if (count < 4) return count < 3 ? v[max]![at]! : v[total]![at]! - v[max]![at]!;
    return Math.min(v[max + 1]![like]!, v[max]![at]!);
  };
const gapDeviation =
  (total: number, max: number, packets: (v: FeatureColumns, at: number) => number): Guess =>
  (v, at, like) =>
    ofFew(v, at, like, packets(v, at) - 1, v[total]![at]!, max, max + 1, max - 1);
const both = (v: FeatureColumns, at: number): number => v[2]![at]! + v[3]![at]!;
const forward = (v: FeatureColumns, at: number): number => v[2]![at]!;
const backward = (v: FeatureColumns, at: number): number => v[3]![at]!;

/** Where all packets go one way, its gaps are those of the flow. */
const ofOneWay =
  (index: number, packets: number, other: number, flow: number, otherwise: Guess): Guess =>
  (v, at, like) =>
    v[packets]![at]! < 2 ? 0 : v[other]![at] === 0 ? v[flow]![at]! : otherwise(v, at, like);

const varianceOfFlow = (v: FeatureColumns, at: number): number => {
  const count = both(v, at);
  const total = v[4]![at]! + v[5]![at]!;
  const all = squares(v[2]![at]!, v[4]![at]!, v[9]![at]!) + squares(v[3]![at]!, v[5]![at]!, v[13]![at]!);
  return count < 2 ? 0 : Math.max(0, (count * all - total * total) / (count * (count - 1)));
};
const perSecond =
  (of: Guess, withoutDuration: number): Guess =>
  (v, at, like) =>
    v[1]![at] === 0 ? withoutDuration : of(v, at, like) / (v[1]![at]! / 1e6);
/** Packets and bytes per gap: how many gaps there are follows from the packets per gap. */
const perGap =
  (of: number): Guess =>
  (v, at) =>
    v[62]![at] === 0 ? 0 : ratio(v[of]![at]!, Math.round(v[2]![at]! / v[62]![at]!));
/** Of active and idle times: one, or all alike, where nothing deviates. */
const ofSpread =
  (index: number, mean: number): Guess =>
  (v, at, like) =>
    v[mean + 1]![at] === 0 ? v[mean]![at]! : v[index]![like]!;

/** Column and how it is guessed, in the order in which they are decoded. */
export const guesses: readonly (readonly [feature: number, guess: Guess])[] = [
  [0, column(keyFeatures.port)],
  [1, column(keyFeatures.duration)],
  [2, same(2)],
  [3, same(3)],
  [4, inProportion(4, 2)],
  [5, inProportion(5, 3)],
  [6, maxLength(2, 4, 6)],
  [7, minLength(2, 4, 6)],
  [8, quotient(4, 2)],
  [9, lengthDeviation(2, 4, 6)],
  [10, maxLength(3, 5, 10)],
  [11, minLength(3, 5, 10)],
  [12, quotient(5, 3)],
  [13, lengthDeviation(3, 5, 10)],
  [14, perSecond(sum(4, 5), -1)],
  [15, perSecond(both, -1)],
  [16, meanGap(1, both)],
  [18, maxGap(1, 18, both)],
  [19, minGap(1, 18, both)],
  [17, gapDeviation(1, 18, both)],
  [20, ofOneWay(20, 2, 3, 1, column(1))],
  [21, meanGap(20, forward)],
  [23, ofOneWay(23, 2, 3, 18, maxGap(20, 23, forward))],
  [24, ofOneWay(24, 2, 3, 19, minGap(20, 23, forward))],
  [22, ofOneWay(22, 2, 3, 17, gapDeviation(20, 23, forward))],
  [25, ofOneWay(25, 3, 2, 1, column(20))],
  [26, meanGap(25, backward)],
  [28, ofOneWay(28, 3, 2, 18, maxGap(25, 28, backward))],
  [29, ofOneWay(29, 3, 2, 19, minGap(25, 28, backward))],
  [27, ofOneWay(27, 3, 2, 17, gapDeviation(25, 28, backward))],
  [30, same(30)],
  [31, same(31)],
  [32, same(32)],
  [33, same(33)],
  [34, inProportion(34, 2)],
  [35, inProportion(35, 3)],
  [36, perSecond(column(2), 0)],
  [37, perSecond(column(3), 0)],
  [38, (v, at) => (v[2]![at] === 0 ? v[11]![at]! : v[3]![at] === 0 ? v[7]![at]! : Math.min(v[7]![at]!, v[11]![at]!))],
  [39, (v, at) => Math.max(v[6]![at]!, v[10]![at]!)],
  [40, (v, at) => ratio(v[4]![at]! + v[5]![at]!, both(v, at))],
  [41, (v, at) => Math.sqrt(varianceOfFlow(v, at))],
  [42, varianceOfFlow],
  [43, same(43)],
  [44, same(44)],
  [45, same(45)],
  [46, sum(30, 31)],
  [47, (v, at, like) => both(v, at) - both(v, like) + v[47]![like]!],
  [48, sum(32, 33)],
  [49, same(49)],
  [50, same(50)],
  [51, quotient(3, 2)],
  [52, column(40)],
  [53, column(8)],
  [54, column(12)],
  [55, column(34)],
  ...[56, 57, 58, 59, 60, 61].map((index) => [index, same(index)] as const),
  [62, (v, at, like) => ratio(v[2]![at]!, v[62]![like] === 0 ? 0 : Math.round(v[2]![like]! / v[62]![like]!))],
  [63, perGap(4)],
  [64, perGap(3)],
  [65, perGap(5)],
  [66, same(66)],
  [67, same(67)],
  [68, same(68)],
  [69, same(69)],
  [70, same(70)],
  [71, same(71)],
  [72, ofSpread(72, 70)],
  [73, ofSpread(73, 70)],
  [74, same(74)],
  [75, same(75)],
  [76, ofSpread(76, 74)],
  [77, ofSpread(77, 74)],
];
