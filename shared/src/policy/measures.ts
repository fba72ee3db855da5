/** What rules ask for: one restriction each, with the proof that it rests on, and what is to be remembered of it. Packet times in µs. */
import type { DeviceStep, Rule } from '../contract/rule.ts';
import type { Proof } from './evidence.ts';
import type { Restriction } from './restriction.ts';

/** A rule whose evidence is there. */
export interface Proven {
  readonly rule: Rule;
  readonly proof: Proof;
}

/**
 * What the network says of a window, and whatever is plain from its flows, each with the rules that it proves. They are
 * answered apart, so that none hides another: forged knocks never keep an attack from its own rule.
 */
export function findingsOf(proven: readonly Proven[]): readonly (readonly [Proven, ...Proven[]])[] {
  const findings = Map.groupBy(proven, ({ proof: { flood, counted } }) =>
    flood === null ? (counted?.key ?? 'network') : 'flood',
  );
  const inOrder = [
    findings.get('network') ?? [],
    ...[...findings].flatMap(([by, of]) => (by === 'network' ? [] : [of])),
  ];
  return inOrder.flatMap(([first, ...others]) => (first === undefined ? [] : [[first, ...others] as const]));
}

/** One restriction that a rule asks for now. */
export interface Measure {
  readonly rule: Rule;
  readonly proof: Proof;
  readonly restriction: Restriction;
  readonly durationSeconds: number;
  /** How often its offender was restricted under this rule, this time included. */
  readonly times: number;
  /** The step of the rule's ladder that it is; null: no ladder was climbed. */
  readonly step: DeviceStep | null;
  /** Several MACs sent it under one address: a conversation is restricted, and nobody is blamed. */
  readonly isContested: boolean;
}

export interface Measures {
  /** To be taken now. */
  readonly taken: readonly Measure[];
  /** Keys of restrictions that were asked for before, last still and cover this. */
  readonly running: readonly string[];
}

export const noMeasures: Measures = { taken: [], running: [] };

/** What a restart must not forget of a restriction that held. */
export interface MeasureRecord {
  /** `restrictionKey`. */
  readonly key: string;
  readonly ruleId: string;
  /** Whose offence it is; null: it protects a target and is held against nobody. */
  readonly who: string | null;
  readonly sinceUs: number;
  readonly untilUs: number;
  /** How often its offender was restricted under the rule by then; 0 where that was forgiven, or is nobody's. */
  readonly times: number;
  /** Place in the rule's ladder. */
  readonly step: number;
}
