/** Figures of a detector on labelled windows. Pure arithmetic. */

/** A site or device type with fewer benign windows weighs less than the others: what a few windows say of it is chance. */
export const wholeGroup = 1000;

export interface ClassFigures {
  readonly support: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Per class, from true and predicted class numbers. */
export function classFigures(labels: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): ClassFigures[] {
  const confusion = Array.from({ length: classes }, () => new Float64Array(classes));
  for (let index = 0; index < labels.length; index++) confusion[labels[index]!]![predicted[index]!]! += 1;
  return confusion.map((row, index) => {
    const support = row.reduce((sum, value) => sum + value, 0);
    const claimed = confusion.reduce((sum, other) => sum + other[index]!, 0);
    const hit = row[index]!;
    const precision = claimed === 0 ? 0 : hit / claimed;
    const recall = support === 0 ? 0 : hit / support;
    return { support, precision, recall, f1: hit === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
  });
}

/** Mean F1 over the classes that occur at least `fewest` times. */
export function macroF1(figures: readonly ClassFigures[], fewest = 1): number {
  const counted = figures.filter(({ support }) => support >= fewest);
  return counted.reduce((sum, { f1 }) => sum + f1, 0) / Math.max(1, counted.length);
}

/**
 * Area under precision over recall, by average precision; equal scores count as one step. `negativeShare` weighs the
 * negatives as if they were this share of all, whatever their number; left out, they count as they are.
 */
export function precisionRecallArea(
  scores: ArrayLike<number>,
  positive: (index: number) => boolean,
  negativeShare?: number,
): number {
  const order = Array.from({ length: scores.length }, (_, index) => index).sort((a, b) => scores[b]! - scores[a]!);
  const positives = order.filter(positive).length;
  const negatives = order.length - positives;
  const weight =
    negativeShare === undefined || negatives === 0 ? 1 : (positives * negativeShare) / (1 - negativeShare) / negatives;
  let area = 0;
  let hits = 0;
  let misses = 0;
  let stepHits = 0;
  for (const [rank, index] of order.entries()) {
    if (positive(index)) stepHits += 1;
    else misses += weight;
    if (scores[order[rank + 1] ?? -1] === scores[index]) continue;
    hits += stepHits;
    if (stepHits > 0) area += (stepHits / positives) * (hits / (hits + misses));
    stepHits = 0;
  }
  // The steps' sum may exceed 1 by the last digit.
  return Math.min(1, area);
}

/** Share of the negatives that score at or above the threshold. */
export function falseAlarmShare(
  scores: ArrayLike<number>,
  benign: (index: number) => boolean,
  threshold: number,
): number {
  let negatives = 0;
  let alarms = 0;
  for (let index = 0; index < scores.length; index++) {
    if (!benign(index)) continue;
    negatives += 1;
    if (scores[index]! >= threshold) alarms += 1;
  }
  return negatives === 0 ? 0 : alarms / negatives;
}

/** The lowest threshold between `floor` and `ceiling` at which at most `share` of the benign scores alarm, or `ceiling`. */
export function quietThreshold(
  benignScores: ArrayLike<number>,
  share: number,
  [floor, ceiling]: readonly [number, number],
): number {
  const sorted = Float64Array.from(benignScores).sort().toReversed();
  // Just above the loudest score that must stay quiet.
  const loudest = sorted[Math.floor(sorted.length * share + 1e-9)] ?? 0;
  return Math.min(ceiling, Math.max(floor, justAbove(loudest)));
}

/**
 * Of the windows of a device under attack: what a score of 0.9 means nine in ten of. Where fewer are, it means less; evenly
 * weighed, thresholds that are quiet for a day would all lie above 0.998 (docs/decisions/0022).
 */
export const assumedAttackShare = 0.1;

/** A hundredth of the way to 1, so that there is room between thresholds however near to 1 they lie. */
export function justAbove(score: number): number {
  return score + 0.01 * (1 - score);
}

/** As `quietThreshold`, between 0 and 1, where each benign score weighs what `weights` says of the whole, which is 1. */
function weighedThreshold(scores: readonly number[], weights: readonly number[], share: number): number {
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);
  let louder = 0;
  for (const index of order) {
    louder += weights[index]!;
    // Just above the loudest score that must stay quiet; the sum may miss the last digit.
    if (louder > share * (1 + 1e-9)) return justAbove(scores[index]!);
  }
  return 0;
}

/**
 * How much is found while it is quiet: recall, mean over the classes that occur, at the thresholds at which each of
 * `shares` of the benign windows alarm; the mean of these. Label 0 is benign. `groups` says for each window whose it is:
 * the benign windows of a group weigh as much together as those of any other, up to a point (`groupWeights`).
 */
export function quietRecall(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  groups: readonly string[],
  shares: readonly number[],
): number {
  const byClass = Map.groupBy(
    Array.from({ length: scores.length }, (_, index) => index),
    (index) => labels[index]!,
  );
  const benign = byClass.get(0) ?? [];
  const weights = groupWeights(benign.map((index) => groups[index]!));
  const benignScores = benign.map((index) => scores[index]!);
  const attacks = [...byClass].filter(([label]) => label !== 0);
  const recalls = shares.flatMap((share) => {
    const threshold = weighedThreshold(benignScores, weights, share);
    return attacks.map(([, members]) => members.filter((index) => scores[index]! >= threshold).length / members.length);
  });
  return recalls.reduce((sum, recall) => sum + recall, 0) / Math.max(1, recalls.length);
}

/**
 * One weight per member, 1 in all, the same for each group of a thousand members or more. A smaller group weighs less, as it
 * does in training: where it had the say of a site of the range, one window of forty would decide which epoch is best.
 */
export function groupWeights(groups: readonly string[]): number[] {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const shareOf = (size: number): number => Math.min(1, size / wholeGroup);
  const all = [...sizes.values()].reduce((sum, size) => sum + shareOf(size), 0);
  return groups.map((group) => shareOf(sizes.get(group)!) / sizes.get(group)! / all);
}
