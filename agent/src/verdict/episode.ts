/**
 * One attack of one class between one device and one peer: its alert as it stands, and when that was last sent. It runs
 * from its first proof until it has been quiet for five minutes of packet time. Then it rests: it has had its last word,
 * and the next proof within an hour goes on with its alert.
 */
import type { DeviceRef } from '@picket/shared/contract/address';
import { maxReturns, type Alert, type AlertType, type Severity } from '@picket/shared/contract/alert';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import {
  newId,
  type AlertId,
  type BootId,
  type DecisionId,
  type PredictionId,
  type RuleId,
} from '@picket/shared/contract/identifiers';
import { quietUs, returnsWithinUs } from '@picket/shared/policy/alert-times';
import { peerOf, type Offender } from '@picket/shared/policy/offender';
import { severityOf } from '@picket/shared/policy/severity';
import { instantOf } from '../window/packet-time.ts';
import { evidenceOf } from '../window/window-flow.ts';
import { actionAfter, alertAfter, nothingDone, type Action } from './action-taken.ts';
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
  /** What was done since it came back, or since it began. */
  #done: Action = nothingDone;
  /** Before it came back the last time, µs. */
  #quietForUs = 0;
  #isExplained: boolean;

  constructor(opening: AlertOpening, alertType: AlertType, bootId: BootId) {
    this.#offender = opening.offender;
    this.#counted = opening.counted;
    this.#alert = openedAlert(opening, alertType, bootId);
    this.#seenIn = opening.scored.prediction.id;
    this.#lastSeenUs = opening.scored.context.atUs;
    this.#isExplained = opening.scored.prediction.explanation !== null;
  }

  /** Revision -1 until it was first sent. */
  get alert(): Alert {
    return this.#alert;
  }

  /** Packet time in µs. */
  get lastSeenUs(): number {
    return this.#lastSeenUs;
  }

  /** Reasons were found since it came back, or since it began. */
  get isExplained(): boolean {
    return this.#isExplained;
  }

  runsAt(atUs: number): boolean {
    return Math.abs(atUs - this.#lastSeenUs) <= quietUs;
  }

  /**
   * It runs, or may still come back: as often as an alert can say. Where time lies far before it was last seen a clock was set back, and nobody knows
   * how long it was quiet: it is told anew rather than never.
   */
  lastsAt(atUs: number): boolean {
    if (this.runsAt(atUs)) return true;
    return atUs > this.#lastSeenUs && atUs - this.#lastSeenUs <= returnsWithinUs && this.#alert.returns < maxReturns;
  }

  /** False for another device that has taken over the address. */
  isOf({ mac }: DeviceRef): boolean {
    const before = this.#alert.device.mac;
    return mac === null || before === null || mac === before;
  }

  /** It was proven once more. */
  prove(opening: AlertOpening): void {
    const { scored, isPlain, counted } = opening;
    if (this.runsAt(scored.context.atUs)) this.#counted = counted ?? this.#counted;
    else this.#comeBack(opening);
    this.see(scored, isPlain);
  }

  #comeBack({ scored, counted, hits, sinceUs }: AlertOpening): void {
    const alert = this.#alert;
    // Windows of the proof that came while it rested were not counted yet; the newest of them is about to be.
    const uncounted = sinceUs > this.#lastSeenUs ? hits - 1 : 0;
    this.#alert = { ...alert, count: alert.count + uncounted, returns: alert.returns + 1 };
    this.#quietForUs = scored.context.atUs - this.#lastSeenUs;
    this.#counted = counted;
    this.#done = nothingDone;
    this.#isExplained = false;
  }

  /** `isPlain`: the flows alone tell it now; once they did, it stays so. */
  see({ prediction, context }: ScoredWindow, isPlain = false): void {
    const alert = this.#alert;
    const score = Math.max(alert.score, prediction.score);
    const is_plain = alert.is_plain || isPlain;
    const isNew = this.#seenIn !== prediction.id;
    this.#seenIn = prediction.id;
    this.#lastSeenUs = Math.max(this.#lastSeenUs, context.atUs);
    this.#isExplained ||= prediction.explanation !== null;
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

  /** Names the decision, with what it came to already; of too many the latest. */
  addDecision(id: DecisionId, outcome: DecisionEvent | undefined): void {
    const ids = this.#alert.decision_ids;
    if (!ids.includes(id)) {
      this.#alert = { ...this.#alert, decision_ids: [...ids, id].slice(-maxDecisionsPerAlert) };
      this.#isChanged = true;
    }
    if (outcome !== undefined) this.#apply(outcome);
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
    const done = actionAfter(this.#done, outcome);
    if (done === undefined) return false;
    this.#done = done;
    this.#alert = alertAfter(this.#alert, outcome) ?? this.#alert;
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
      back: alert.returns === 0 ? null : { times: alert.returns, afterSeconds: this.#quietForUs / 1e6 },
      action: this.#done.action_taken,
      simulated: this.#done.simulated,
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
    returns: 0,
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
