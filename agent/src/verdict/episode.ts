/**
 * One attack of one class between one device and one peer, from its first proof until it has been quiet for five minutes
 * of packet time: its alert as it stands, and when that was last sent.
 */
import type { Alert, AlertType, Severity } from '@picket/shared/contract/alert';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import {
  newId,
  type AlertId,
  type BootId,
  type DecisionId,
  type PredictionId,
  type RuleId,
} from '@picket/shared/contract/identifiers';
import { peerOf, type Offender } from '@picket/shared/policy/offender';
import { severityOf } from '@picket/shared/policy/severity';
import { instantOf } from '../window/packet-time.ts';
import { evidenceOf } from '../window/window-flow.ts';
import { alertAfter } from './action-taken.ts';
import { alertMessage } from './alert-message.ts';
import type { AttackClass, ScoredWindow } from './scored-window.ts';

/** What opened an episode. */
export interface AlertOpening {
  readonly scored: ScoredWindow;
  readonly attack: AttackClass;
  readonly offender: Offender;
  readonly ruleId: RuleId;
  readonly alertType: Extract<AlertType, 'threshold_breach' | 'sustained_attack'>;
  /** Attack predictions that were the proof, and when the first of them was, packet time in µs. */
  readonly hits: number;
  readonly sinceUs: number;
  /** The flows alone told it. */
  readonly isPlain: boolean;
  /** What was counted, in words; null: nothing was. */
  readonly counted: string | null;
}

/** An episode is over when nothing was heard of it for this long. */
export const quietUs = 300_000_000;
export const updateEveryUs = 1_000_000;
const maxDecisionsPerAlert = 20;

export class Episode {
  readonly #offender: Offender;
  /** What was counted last, in words. */
  #counted: string | null;
  #alert: Alert;
  /** The newest prediction in it: two ways to see an attack in one window make it no two windows. */
  #seenIn: PredictionId;
  #lastSeenUs: number;
  #sentAtUs = Number.NEGATIVE_INFINITY;
  #isChanged = true;

  constructor(opening: AlertOpening, alertType: AlertType, bootId: BootId) {
    this.#offender = opening.offender;
    this.#counted = opening.counted;
    this.#alert = openedAlert(opening, alertType, bootId);
    this.#seenIn = opening.scored.prediction.id;
    this.#lastSeenUs = opening.scored.context.atUs;
  }

  /** Revision -1 until it was first sent. */
  get alert(): Alert {
    return this.#alert;
  }

  /** Packet time in µs. */
  get lastSeenUs(): number {
    return this.#lastSeenUs;
  }

  lastsAt(atUs: number): boolean {
    return Math.abs(atUs - this.#lastSeenUs) <= quietUs;
  }

  /** It was proven once more. */
  prove({ scored, isPlain, counted }: AlertOpening): void {
    this.#counted = counted ?? this.#counted;
    this.see(scored, isPlain);
  }

  /** `isPlain`: the flows alone tell it now; once they did, it stays so. */
  see({ prediction, context }: ScoredWindow, isPlain = false): void {
    const alert = this.#alert;
    const score = Math.max(alert.score, prediction.score);
    const is_plain = alert.is_plain || isPlain;
    const isNew = this.#seenIn !== prediction.id;
    this.#seenIn = prediction.id;
    this.#lastSeenUs = Math.max(this.#lastSeenUs, context.atUs);
    this.#alert = {
      ...alert,
      score,
      is_plain,
      severity: severityIn(is_plain, score),
      count: alert.count + (isNew ? 1 : 0),
      last_seen_at: instantOf(this.#lastSeenUs),
      explanation: alert.explanation ?? prediction.explanation,
    };
    this.#isChanged = true;
  }

  /** Names the decision, with what it came to already. False where the alert names it, or as many as it may. */
  addDecision(id: DecisionId, outcome: DecisionEvent | undefined): boolean {
    const ids = this.#alert.decision_ids;
    if (ids.includes(id) || ids.length >= maxDecisionsPerAlert) return false;
    this.#alert = { ...this.#alert, decision_ids: [...ids, id] };
    this.#isChanged = true;
    if (outcome !== undefined) this.#apply(outcome);
    return true;
  }

  /** What a decision that it names came to: the alert, where one that was sent has something stronger to tell now. */
  noteOutcome(outcome: DecisionEvent): Alert | undefined {
    return this.#apply(outcome) && this.#alert.revision >= 0 ? this.#send(this.#sentAtUs) : undefined;
  }

  /** The alert as it stands, where there is news and the last was sent at least a second ago. */
  takeUpdate(nowUs: number): Alert | undefined {
    const isDue = this.#isChanged && Math.abs(nowUs - this.#sentAtUs) >= updateEveryUs;
    return isDue ? this.#send(nowUs) : undefined;
  }

  #apply(outcome: DecisionEvent): boolean {
    const after = alertAfter(this.#alert, outcome);
    if (after === undefined) return false;
    this.#alert = after;
    this.#isChanged = true;
    return true;
  }

  #send(nowUs: number): Alert {
    const alert = this.#alert;
    this.#sentAtUs = nowUs;
    this.#isChanged = false;
    const message = alertMessage({
      attack: attackOf(alert),
      device: alert.device.address,
      offender: this.#offender,
      score: alert.score,
      isPlain: alert.is_plain,
      counted: this.#counted,
      count: alert.count,
      action: alert.action_taken,
      simulated: alert.simulated,
    });
    this.#alert = { ...alert, revision: alert.revision + 1, message };
    return this.#alert;
  }
}

function openedAlert(opening: AlertOpening, alertType: AlertType, bootId: BootId): Alert {
  const { prediction, context } = opening.scored;
  return {
    id: newId() as AlertId,
    revision: -1,
    alert_type: alertType,
    class: opening.attack,
    severity: severityIn(opening.isPlain, prediction.score),
    score: prediction.score,
    is_plain: opening.isPlain,
    device: context.device,
    peer: peerOf(opening.offender),
    first_seen_at: instantOf(opening.sinceUs),
    last_seen_at: instantOf(context.atUs),
    count: opening.hits,
    message: '',
    explanation: prediction.explanation,
    evidence: context.flows.map((flow) => evidenceOf(flow, bootId)),
    prediction_id: prediction.id,
    rule_id: opening.ruleId,
    decision_ids: [],
    action_taken: 'none',
    simulated: false,
    source: prediction.source,
    model_version: prediction.model_version,
  };
}

/** What is plain is as grave as what a network is sure of. */
function severityIn(isPlain: boolean, score: number): Severity {
  return severityOf(isPlain ? 1 : score);
}

/** An episode is only ever opened for an attack. */
function attackOf(alert: Alert): AttackClass {
  return alert.class === 'benign' ? 'other_attack' : alert.class;
}
