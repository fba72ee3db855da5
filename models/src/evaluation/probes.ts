/** Windows that nobody captured, put together to ask one question each: dilution, monotony, order. */
import { windowLength } from '@picket/shared/features/feature-schema';
import { windowAt } from '../dataset/evaluation-windows.ts';
import { labelWindow } from '../dataset/label-window.ts';
import type { Dataset, Part } from '../dataset/flow-rows.ts';
import { seededRandom, shuffle } from '../dataset/seeded-random.ts';
import { inOrder } from '../dataset/window-context.ts';
import type { WindowOfFlows } from '../dataset/window-of-flows.ts';
import { dilute, padded, presentFlows } from '../dataset/window-mixes.ts';
import { blockOf } from '../dataset/window-block.ts';
import { classCount } from '../network/network-parameters.ts';
import type { Figures } from './evaluation.ts';
import type { Predictor } from './predictor.ts';

/** Per class, so that no class decides by its number. */
const windowsPerClass = 150;
const benignWindows = 2000;
/** Of attackers who take their time. */
const paces = [2, 5, 10] as const;
/** A window of fewer than two flows says nothing of most attacks. */
const fewFlows = [2, 3, 5] as const;
/** Seconds between the flows of a monotonous device. */
const usualPeriod = 20;

export interface ProbeSource {
  readonly attacks: readonly (readonly Int32Array[])[];
  readonly benign: readonly Int32Array[];
}

/** Full windows of nothing but attack, per class, and benign windows, drawn by a seed from one part. */
export function probeSource({ rows, sequences }: Dataset, part: Part, source: string, seed: number): ProbeSource {
  const attacks = Array.from({ length: classCount }, () => [] as Int32Array[]);
  const benign: Int32Array[] = [];
  for (const sequence of sequences) {
    if (sequence.part !== part || sequence.source !== source) continue;
    for (let number = 0; number < sequence.counts.length; number++) {
      const window = windowAt(sequence, number);
      const label = labelWindow(rows, window);
      if (label === undefined) continue;
      if (label === 0) benign.push(window);
      else if (presentFlows(window).length === windowLength) attacks[label]!.push(window);
    }
  }
  const random = seededRandom(seed);
  return {
    attacks: attacks.map((windows) => shuffle(windows, random).slice(0, windowsPerClass)),
    benign: shuffle(benign, random).slice(0, benignWindows),
  };
}

/** Recall, mean over classes, at 1 to 10 attack flows among ten. */
export async function dilutionFigures(
  { rows }: Dataset,
  { attacks, benign }: ProbeSource,
  predictor: Predictor,
  threshold: number,
): Promise<Figures['dilution']> {
  const random = seededRandom(5);
  const full = benign.filter((window) => presentFlows(window).length === windowLength);
  const figures: Figures['dilution'] = [];
  for (let kept = 1; kept <= windowLength; kept++) {
    const recalls: number[] = [];
    let count = 0;
    for (const windows of attacks) {
      const mixed = windows.flatMap((window, index) => {
        const attackFlows = presentFlows(window).filter((row) => rows.classes[row] !== 0);
        if (attackFlows.length < kept || full.length === 0) return [];
        const background = full[index % full.length]!;
        const mixture = dilute(padded(attackFlows), background, kept, random);
        return [inOrder(rows, { window: mixture, background, lag: Math.expm1(3 * random() * random()) })];
      });
      if (mixed.length === 0) continue;
      count += mixed.length;
      recalls.push(await alarmShareOf(rows, mixed, predictor, threshold));
    }
    figures.push({ attack_flows: kept, windows: count, recall: mean(recalls) });
  }
  return figures;
}

export async function monotonyFigures(
  { rows }: Dataset,
  { benign }: ProbeSource,
  predictor: Predictor,
  threshold: number,
): Promise<Figures['monotony']> {
  const windows = benign.map((window) => {
    const newest = presentFlows(window).at(-1)!;
    return { window: padded(Array.from({ length: windowLength }, () => newest)), period: usualPeriod };
  });
  const share = windows.length === 0 ? 0 : await alarmShareOf(rows, windows, predictor, threshold);
  return { windows: windows.length, false_alarm_share: share };
}

/** Recall on attack windows as they were and with their flows in random order. */
export async function orderFigures(
  { rows }: Dataset,
  { attacks }: ProbeSource,
  predictor: Predictor,
  threshold: number,
): Promise<Figures['shuffled']> {
  const random = seededRandom(6);
  const windows = attacks.flat();
  if (windows.length === 0) return { windows: 0, recall: 0, recall_shuffled: 0 };
  const shuffled = windows.map((window) => padded(shuffle(presentFlows(window), random)));
  return {
    windows: windows.length,
    recall: await alarmShareOf(rows, windows, predictor, threshold),
    recall_shuffled: await alarmShareOf(rows, shuffled, predictor, threshold),
  };
}

/** Recall on attack windows whose flows follow one another more slowly; what each flow is in itself stays. */
export async function slowedFigures(
  { rows }: Dataset,
  { attacks }: ProbeSource,
  predictor: Predictor,
  threshold: number,
): Promise<NonNullable<Figures['slowed']>> {
  const windows = attacks.flat();
  if (windows.length === 0) return [];
  const figures: NonNullable<Figures['slowed']> = [];
  for (const pace of paces) {
    const slowed = windows.map((window) => ({ window, pace }));
    figures.push({ pace, windows: windows.length, recall: await alarmShareOf(rows, slowed, predictor, threshold) });
  }
  return figures;
}

/** The newest few flows of a conversation that has no more yet, beside a window that is filled with them. */
export async function shortFigures(
  { rows }: Dataset,
  { attacks, benign }: ProbeSource,
  predictor: Predictor,
  threshold: number,
): Promise<NonNullable<Figures['short']>> {
  const figures: NonNullable<Figures['short']> = [];
  for (const flows of fewFlows) {
    const newest = (windows: readonly Int32Array[], isWanted: (row: number) => boolean): number[][] =>
      windows
        .map((window) => presentFlows(window).filter(isWanted).slice(-flows))
        .filter((rest) => rest.length === flows);
    const loud = newest(attacks.flat(), (row) => rows.classes[row] !== 0);
    const quiet = newest(benign, () => true);
    if (loud.length === 0 || quiet.length === 0) continue;
    const shareOf = (members: readonly number[][], fill: (flows: readonly number[]) => Int32Array): Promise<number> =>
      alarmShareOf(
        rows,
        members.map((member) => ({ window: fill(member), isBeginning: true })),
        predictor,
        threshold,
      );
    figures.push({
      flows,
      attacks: loud.length,
      recall: await shareOf(loud, padded),
      recall_repeated: await shareOf(loud, repeated),
      benign: quiet.length,
      false_alarm_share: await shareOf(quiet, padded),
      false_alarm_share_repeated: await shareOf(quiet, repeated),
    });
  }
  return figures;
}

/** Ten slots, the flows over and over, the newest last. */
function repeated(flows: readonly number[]): Int32Array {
  return padded(Array.from({ length: windowLength }, (_, slot) => flows.at((slot - windowLength) % flows.length)!));
}

async function alarmShareOf(
  rows: Dataset['rows'],
  windows: readonly (Int32Array | WindowOfFlows)[],
  predictor: Predictor,
  threshold: number,
): Promise<number> {
  const probabilities = await predictor.score(blockOf(rows, windows, 0));
  const alarms = windows.filter((_, index) => 1 - probabilities[index * classCount]! >= threshold).length;
  return alarms / windows.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
