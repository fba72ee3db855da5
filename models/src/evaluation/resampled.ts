/**
 * How far figures over windows can be trusted: windows overlap, so whole stretches of traffic are drawn again and again,
 * with replacement, and the figures taken of each draw.
 */
import { seededRandom } from '../dataset/seeded-random.ts';
import type { JudgedWindow } from './scored-sequences.ts';

export type Interval = [low: number, high: number];

const draws = 200;
const seed = 11;

/**
 * Where 95 % of the draws lie: of the share of benign windows at the threshold, and of the area under precision over
 * recall as if `benignShare` of the windows were benign. Undefined where a figure has no meaning, or there are fewer
 * than two stretches to draw from.
 */
export function resampled(
  windows: readonly JudgedWindow[],
  threshold: number,
  benignShare: number,
): { readonly falseAlarms: Interval | undefined; readonly area: Interval | undefined } {
  const stretches = [...new Set(windows.map(({ sequence }) => sequence))];
  if (stretches.length < 2) return { falseAlarms: undefined, area: undefined };
  const numberOf = new Map(stretches.map((stretch, number) => [stretch, number]));
  const ordered = windows
    .map(({ sequence, label, score }) => ({ stretch: numberOf.get(sequence)!, isAttack: label !== 0, score }))
    .sort((a, b) => b.score - a.score);
  const random = seededRandom(seed);
  const shares: number[] = [];
  const areas: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const times = new Uint16Array(stretches.length);
    for (let pick = 0; pick < stretches.length; pick++) times[Math.floor(random() * stretches.length)]! += 1;
    const { share, area } = figuresOf(ordered, times, threshold, benignShare);
    if (share !== undefined) shares.push(share);
    if (area !== undefined) areas.push(area);
  }
  return { falseAlarms: middle(shares), area: middle(areas) };
}

interface RankedWindow {
  readonly stretch: number;
  readonly isAttack: boolean;
  readonly score: number;
}

/** Of one draw: each stretch counts as often as it was drawn. `ordered`: highest score first. */
function figuresOf(
  ordered: readonly RankedWindow[],
  times: Uint16Array,
  threshold: number,
  benignShare: number,
): { readonly share: number | undefined; readonly area: number | undefined } {
  let [attacks, benign, loud] = [0, 0, 0];
  for (const { stretch, isAttack, score } of ordered) {
    if (isAttack) attacks += times[stretch]!;
    else {
      benign += times[stretch]!;
      if (score >= threshold) loud += times[stretch]!;
    }
  }
  const share = benign === 0 ? undefined : loud / benign;
  if (benign === 0 || attacks === 0) return { share, area: undefined };
  const weight = (attacks * benignShare) / (1 - benignShare) / benign;
  let [hits, misses, stepHits, area] = [0, 0, 0, 0];
  for (const [rank, { stretch, isAttack, score }] of ordered.entries()) {
    if (isAttack) stepHits += times[stretch]!;
    else misses += weight * times[stretch]!;
    if (ordered[rank + 1]?.score === score) continue;
    hits += stepHits;
    if (stepHits > 0) area += (stepHits / attacks) * (hits / (hits + misses));
    stepHits = 0;
  }
  return { share, area: Math.min(1, area) };
}

function middle(values: number[]): Interval | undefined {
  if (values.length === 0) return undefined;
  values.sort((a, b) => a - b);
  const at = (share: number): number => values[Math.round(share * (values.length - 1))]!;
  return [at(0.025), at(0.975)];
}
