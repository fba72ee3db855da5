/**
 * What a person would have seen: the rules that every agent starts with, over the scored windows of one device. Never
 * one window alone: N of the last M that held enough new, as the agent's `evidence.ts` does it.
 */
import { defaultRules } from '@picket/shared/policy/default-rules';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { windowAt } from '../dataset/evaluation-windows.ts';
import type { FlowRows, WindowSequence } from '../dataset/flow-rows.ts';
import { presentFlows } from '../dataset/window-mixes.ts';
import { classCount } from '../network/network-parameters.ts';

const maxAgeUs = 3_600_000_000;
const maxWindows = 20;
/** An alert that has been quiet this long is over; what follows is a new one. */
const quietUs = 300_000_000;

/** A rule was met: N of M windows, the newest among them. */
export interface Proof {
  readonly atUs: number;
  /** Class number that most of the windows name. */
  readonly attack: number;
  /** Numbers of the windows that matched, oldest first. */
  readonly windows: readonly number[];
}

interface Witness {
  readonly number: number;
  readonly atUs: number;
  readonly score: number;
  readonly attack: number;
  readonly flowsSeen: number;
}

/** `probabilities` is windows × classes. */
export function proofsOf(sequence: WindowSequence, probabilities: Float32Array, threshold: number): Proof[] {
  const proofs: Proof[] = [];
  const witnesses: Witness[] = [];
  for (let number = 0; number < sequence.counts.length; number++) {
    if (sequence.counts[number] === 0) continue;
    const row = probabilities.subarray(number * classCount, (number + 1) * classCount);
    witnesses.push({
      number,
      atUs: sequence.atUs[number]!,
      score: 1 - row[0]!,
      attack: likeliestAttack(row),
      flowsSeen: presentFlows(windowAt(sequence, number)).length,
    });
    if (witnesses.length > maxWindows) witnesses.shift();
    const proof = firstProof(witnesses, threshold);
    if (proof !== undefined) proofs.push(proof);
  }
  return proofs;
}

function firstProof(witnesses: readonly Witness[], threshold: number): Proof | undefined {
  const newest = witnesses.at(-1)!;
  for (const rule of defaultRules) {
    const matches = ({ score, attack }: Witness): boolean =>
      score >= (rule.threshold ?? threshold) &&
      (rule.classes.length === 0 || rule.classes.some((name) => name === trafficClasses[attack]));
    const hits = witnesses
      .filter(({ flowsSeen, atUs }) => flowsSeen >= rule.min_flows && newest.atUs - atUs <= maxAgeUs)
      .slice(-rule.of_windows)
      .filter(matches);
    if (hits.length < rule.min_windows || hits.at(-1) !== newest) continue;
    return { atUs: newest.atUs, attack: mostNamed(hits), windows: hits.map(({ number }) => number) };
  }
  return undefined;
}

/** Proofs as a person counts them: one alert per device and class until it has been quiet. Only those for which `counts`. */
export function alertCount(proofs: readonly Proof[], counts: (proof: Proof) => boolean = () => true): number {
  const lastSeen = new Map<number, number>();
  let alerts = 0;
  for (const proof of proofs) {
    const before = lastSeen.get(proof.attack);
    lastSeen.set(proof.attack, proof.atUs);
    if (!counts(proof)) continue;
    if (before === undefined || proof.atUs - before > quietUs) alerts += 1;
  }
  return alerts;
}

/** Is there any flow of an attack, or of what it left behind, in the windows that the proof rests on? */
export function isTrue(proof: Proof, sequence: WindowSequence, rows: FlowRows): boolean {
  return proof.windows.some((number) =>
    presentFlows(windowAt(sequence, number)).some((row) => rows.classes[row] !== 0 || rows.residues[row] === 1),
  );
}

/** Class number; the row is one window's probabilities. */
export function likeliestAttack(row: Float32Array): number {
  let best = 1;
  for (let index = 2; index < row.length; index++) if (row[index]! > row[best]!) best = index;
  return best;
}

function mostNamed(hits: readonly Witness[]): number {
  const counts = new Map<number, number>();
  for (const { attack } of hits) counts.set(attack, (counts.get(attack) ?? 0) + 1);
  return hits
    .map(({ attack }) => attack)
    .reduceRight((best, name) => ((counts.get(name) ?? 0) > (counts.get(best) ?? 0) ? name : best));
}
