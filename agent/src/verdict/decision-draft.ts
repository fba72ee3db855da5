/** What is proposed to the enforcer: a measure of the rules, named, reasoned and tied to its alert. */
import type { Decision } from '@picket/shared/contract/decision';
import type { AlertId, DecisionId } from '@picket/shared/contract/identifiers';
import type { Proof } from '@picket/shared/policy/evidence';
import type { Measure } from '@picket/shared/policy/measures';
import type { Offender } from '@picket/shared/policy/offender';
import type { ScoredWindow } from './scored-window.ts';

/**
 * A decision before it is admitted. Whoever admits it gives it its times, for packet time may be years ago, and bends
 * `mode` (what the rule asks for at most) to that of the gateway.
 */
export type DecisionDraft = Omit<Decision, 'created_at' | 'expires_at'> & {
  readonly duration_seconds: number;
  /** Who it names was not seen to keep up a conversation: it may be a forgery. */
  readonly is_forgeable?: true;
};

export function draftOf(
  measure: Measure,
  scored: ScoredWindow,
  offender: Offender,
  { id, alertId }: { readonly id: DecisionId; readonly alertId: AlertId },
): DecisionDraft {
  const { rule, proof, restriction, durationSeconds } = measure;
  return {
    ...restriction,
    id,
    origin: proof.flood === null && proof.counted === null ? 'model' : 'rule',
    scenario: proof.attack,
    mode: rule.mode ?? 'enforce',
    reason: reasonOf(measure, scored),
    who: `${rule.name} (${scored.prediction.model_version})`.slice(0, 100),
    alert_id: alertId,
    rule_id: rule.id,
    duration_seconds: durationSeconds,
    ...(offender.kind === 'peers' && !offender.isGenuine ? { is_forgeable: true as const } : {}),
  };
}

/** What was seen, and what the network made of it. */
function evidenceIn({ attack, hits, of, flood, counted }: Proof, device: string, score: string): readonly string[] {
  if (counted !== null) return [counted.words, `the network's ${score}`];
  const windows = `${attack} in ${hits} of the last ${of} windows of ${device}`;
  if (flood === null) return [`${windows}, ${score}`];
  const { sources, port, withinUs } = flood;
  const knocks = `${sources} sources knocked on tcp/${port} within ${Math.ceil(withinUs / 1000)} ms and left it half-open`;
  return [`${windows}, plain from its flows (the network's ${score})`, knocks];
}

/** Everything that the decision rests on, for it is all that is left of it after a restart. */
function reasonOf({ rule, proof, times, step, isContested }: Measure, { prediction, context }: ScoredWindow): string {
  const threshold = rule.threshold ?? prediction.threshold;
  const score = `score ${prediction.score.toFixed(2)} (threshold ${threshold.toFixed(2)})`;
  const parts = [
    ...evidenceIn(proof, context.device.address, score),
    isContested ? 'several MACs sent it under this address, and none of them is blamed' : '',
    step === null ? '' : `step "${step}" of the device's ladder`,
    times > 1 ? `time ${times} for this offender` : '',
    prediction.explanation?.summary ?? '',
  ];
  return parts
    .filter((part) => part !== '')
    .join('; ')
    .slice(0, 500);
}
