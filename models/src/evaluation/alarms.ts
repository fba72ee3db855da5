/**
 * What a person would have seen: the rules that every agent starts with, over the scored windows of one device. Never
 * one window alone: N of the last M that held enough new, as the agent's `evidence.ts` does it. And what the agent counts
 * beside the network, by the code that it counts with.
 */
import { quietUs, returnsWithinUs } from '@picket/shared/policy/alert-times';
import { CountedFlows } from '@picket/shared/policy/counted-flows';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { namesClass } from '@picket/shared/policy/evidence';
import type { AttackClass, JudgedFlow } from '@picket/shared/policy/judged-window';
import { fitsFlows, likeliestAttack as likeliestOf } from '@picket/shared/policy/service-ports';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { windowAt } from '../dataset/evaluation-windows.ts';
import type { FlowRows, WindowSequence } from '../dataset/flow-rows.ts';
import { presentFlows } from '../dataset/window-mixes.ts';
import { classCount } from '../network/network-parameters.ts';
import { JudgedFlows } from './judged-flows.ts';
import { namedPeer } from './named-peer.ts';

const maxAgeUs = 3_600_000_000;
const maxWindows = 20;

/** A rule was met: N of M windows, the newest among them; or a count, in its newest window. */
export interface Proof {
  readonly atUs: number;
  /** Class number that most of the windows name, of those that the newest can be. */
  readonly attack: number;
  /** The other end that its alert names; null where there is not one, or nobody knows. */
  readonly peer: string | null;
  /** Numbers of the windows that matched, oldest first. */
  readonly windows: readonly number[];
}

/** One stretch, and what is said of its windows: windows × classes. */
export interface ScoredSequence {
  readonly sequence: WindowSequence;
  readonly probabilities: Float32Array;
}

interface Witness {
  readonly number: number;
  readonly atUs: number;
  readonly score: number;
  /** Where a rule may ask for it. */
  readonly attack: number;
  readonly flowsSeen: number;
  readonly flows: readonly JudgedFlow[];
}

const lowestThreshold = Math.min(...defaultRules.flatMap(({ threshold }) => threshold ?? []));

/** What proves rules in a stretch. */
export type ProofsOf = (scored: ScoredSequence) => readonly Proof[];

/** By the network's word. */
export function proofsOf(rows: FlowRows, { sequence, probabilities }: ScoredSequence, threshold: number): Proof[] {
  const judged = new JudgedFlows(rows);
  const proofs: Proof[] = [];
  const witnesses: Witness[] = [];
  for (let number = 0; number < sequence.counts.length; number++) {
    if (sequence.counts[number] === 0) continue;
    const row = probabilities.subarray(number * classCount, (number + 1) * classCount);
    const window = windowAt(sequence, number);
    const score = 1 - row[0]!;
    const isLoud = score >= Math.min(lowestThreshold, threshold);
    const flows = isLoud ? judged.of(window) : [];
    const attack = isLoud ? likeliestAttack(row, sequence.device, flows) : 0;
    const flowsSeen = presentFlows(window).length;
    witnesses.push({ number, atUs: sequence.atUs[number]!, score, attack, flowsSeen, flows });
    if (witnesses.length > maxWindows) witnesses.shift();
    const proof = firstProof(witnesses, threshold, sequence.device);
    if (proof !== undefined) proofs.push(proof);
  }
  return proofs;
}

function firstProof(witnesses: readonly Witness[], threshold: number, device: string): Proof | undefined {
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
    const canBe = ({ attack }: Witness): boolean =>
      attack === newest.attack || fitsFlows(nameOf(attack), device, newest.flows);
    const attack = mostNamed(hits.filter(canBe));
    return {
      atUs: newest.atUs,
      attack,
      peer: namedPeer(device, nameOf(attack), newest.flows),
      windows: hits.map(({ number }) => number),
    };
  }
  return undefined;
}

/** By what is counted beside the network, whatever that says: as the agent does, over all windows of the device. */
export function countedProofsOf(rows: FlowRows, sequence: WindowSequence): Proof[] {
  const address = sequence.device;
  const judged = new JudgedFlows(rows);
  const counted = new CountedFlows();
  return Array.from(sequence.counts.keys()).flatMap((number) => {
    const isNamed = ({ srcIp }: JudgedFlow): boolean => srcIp !== '';
    const flows = judged.of(windowAt(sequence, number)).filter(isNamed);
    const passed = judged.of(sequence.passed?.[number] ?? []).filter(isNamed);
    const atUs = sequence.atUs[number]!;
    counted.add({ device: { address, mac: null }, atUs, flows, passed });
    return counted
      .reached(address)
      .filter((count) => defaultRules.some((rule) => namesClass(rule, count.attack) && count.flows >= rule.min_flows))
      .map((count) => ({
        atUs,
        attack: trafficClasses.indexOf(count.attack),
        peer: namedPeer(address, count.attack, [...passed, ...flows], count),
        windows: [number],
      }));
  });
}

/** Which proofs of a device are of one alert, and for how long after the last of them it goes on, µs. */
interface AlertSpan {
  readonly keyOf: (proof: Proof) => string;
  readonly lastsUs: number;
}

/** One for each class until five minutes of quiet, however often the same thing comes back: what networks are compared by. */
export const afterQuiet: AlertSpan = { keyOf: ({ attack }) => String(attack), lastsUs: quietUs };

/** As agents tell a person: what comes back within an hour goes on with its alert, and each peer has its own. */
export const asTold: AlertSpan = { keyOf: ({ attack, peer }) => `${attack} ${peer ?? '-'}`, lastsUs: returnsWithinUs };

/** Alerts of one device that a proof opens for which `counts`. */
export function alertCount(
  proofs: readonly Proof[],
  { keyOf, lastsUs }: AlertSpan,
  counts: (proof: Proof) => boolean = () => true,
): number {
  const lastSeen = new Map<string, number>();
  let alerts = 0;
  for (const proof of proofs) {
    const key = keyOf(proof);
    const before = lastSeen.get(key);
    lastSeen.set(key, proof.atUs);
    if (!counts(proof)) continue;
    if (before === undefined || proof.atUs - before > lastsUs) alerts += 1;
  }
  return alerts;
}

/** Is there any flow of an attack, or of what it left behind, in the windows that the proof rests on? */
export function isTrue(proof: Proof, sequence: WindowSequence, rows: FlowRows): boolean {
  return proof.windows.some((number) =>
    presentFlows(windowAt(sequence, number)).some((row) => rows.classes[row] !== 0 || rows.residues[row] === 1),
  );
}

/** Class number, among what the flows can be as far as that is known; the row is one window's probabilities. */
export function likeliestAttack(row: Float32Array, device: string, flows: readonly JudgedFlow[]): number {
  return trafficClasses.indexOf(likeliestOf(Array.from(row), { device: { address: device, mac: null }, flows }));
}

function nameOf(attack: number): AttackClass {
  const name = trafficClasses[attack];
  return name === undefined || name === 'benign' ? 'other_attack' : name;
}

function mostNamed(hits: readonly Witness[]): number {
  const counts = new Map<number, number>();
  for (const { attack } of hits) counts.set(attack, (counts.get(attack) ?? 0) + 1);
  return hits
    .map(({ attack }) => attack)
    .reduceRight((best, name) => ((counts.get(name) ?? 0) > (counts.get(best) ?? 0) ? name : best));
}
