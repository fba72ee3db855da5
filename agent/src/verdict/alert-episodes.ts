/**
 * One alert per episode: an attack of one class between one device and one peer, from its first proof until it has
 * been quiet for five minutes of packet time. While it lasts its alert is updated, at most once a second.
 */
import type { ActionTaken, Alert, AlertType, Severity } from '@picket/shared/contract/alert';
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
import { alertMessage } from './alert-message.ts';
import { BoundedMap } from '@picket/shared/policy/bounded-map';
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

/** A running alert; others only hand it back. */
export interface Episode {
  readonly key: string;
  readonly offender: Offender;
  /** What was counted last, in words. */
  counted: string | null;
  /** Revision -1 until it was first sent. */
  alert: Alert;
  /** The newest prediction in it: two ways to see an attack in one window make it no two windows. */
  seenIn: PredictionId;
  lastSeenUs: number;
  sentAtUs: number;
  isChanged: boolean;
}

/** A decision that alerts wait to hear of. */
interface AwaitedDecision {
  readonly episodes: Episode[];
  outcome: DecisionEvent | undefined;
}

/** An episode is over when nothing was heard of it for this long. */
const quietUs = 300_000_000;
const updateEveryUs = 1_000_000;
const maxDecisionsPerAlert = 20;
const maxAlertsPerDecision = 50;
const weightOf: Readonly<Record<ActionTaken, number>> = { none: 0, rate_limited: 1, ip_blocked: 2, quarantined: 3 };

export class AlertEpisodes {
  readonly #bootId: BootId;
  readonly #episodes: BoundedMap<string, Episode>;
  readonly #decisions: BoundedMap<DecisionId, AwaitedDecision>;
  #sweptAtUs = 0;

  constructor(bootId: BootId, capacity = 4096) {
    this.#bootId = bootId;
    this.#episodes = new BoundedMap(capacity);
    this.#decisions = new BoundedMap(capacity);
  }

  get open(): number {
    return this.#episodes.size;
  }

  /** Episodes that were given up for others while they lasted. */
  get evicted(): number {
    return this.#episodes.evicted;
  }

  /** The alert with this id, while its episode lasts. */
  find(id: string): Alert | undefined {
    for (const [, { alert }] of this.#episodes.entries()) if (alert.id === id) return alert;
    return undefined;
  }

  /** An attack was proven: the episode that it opens or goes on with. */
  prove(opening: AlertOpening): Episode {
    const { context } = opening.scored;
    const key = episodeKey(context.device.address, opening.offender, opening.attack);
    const running = this.#running(key, context.atUs);
    if (running !== undefined) {
      running.counted = opening.counted ?? running.counted;
      this.#update(running, opening.scored, opening.isPlain);
      return running;
    }
    const device = context.device.address;
    const isNewType = [...this.#episodes.entries()].some(
      ([, { alert, lastSeenUs }]) =>
        alert.device.address === device && alert.class !== opening.attack && context.atUs - lastSeenUs <= quietUs,
    );
    const episode: Episode = {
      key,
      offender: opening.offender,
      counted: opening.counted,
      seenIn: opening.scored.prediction.id,
      alert: this.#opened(opening, isNewType ? 'new_attack_type' : opening.alertType),
      lastSeenUs: context.atUs,
      sentAtUs: Number.NEGATIVE_INFINITY,
      isChanged: true,
    };
    this.#episodes.set(key, episode);
    return episode;
  }

  /** One more attack prediction that proves nothing by itself: counted where an episode runs. */
  witness(scored: ScoredWindow, attack: AttackClass, offender: Offender): Episode | undefined {
    const running = this.#running(episodeKey(scored.context.device.address, offender, attack), scored.context.atUs);
    if (running !== undefined) this.#update(running, scored);
    return running;
  }

  /** An alert of this attack runs and has its reasons: more of them would say the same. */
  isExplained(device: string, attack: AttackClass, offender: Offender, atUs: number): boolean {
    return this.#running(episodeKey(device, offender, attack), atUs)?.alert.explanation != null;
  }

  /** This decision was proposed because of the alert, or held already when it would have been. */
  addDecision(episode: Episode, decisionId: DecisionId): void {
    const awaited = this.#decisions.get(decisionId) ?? { episodes: [], outcome: undefined };
    this.#decisions.set(decisionId, awaited);
    const ids = episode.alert.decision_ids;
    if (ids.includes(decisionId) || ids.length >= maxDecisionsPerAlert) return;
    if (awaited.episodes.length < maxAlertsPerDecision) awaited.episodes.push(episode);
    episode.alert = { ...episode.alert, decision_ids: [...ids, decisionId] };
    episode.isChanged = true;
    if (awaited.outcome !== undefined) applyOutcome(episode, awaited.outcome);
  }

  /** What became of a decision: an alert says what was done only once it was done. */
  noteDecision(event: DecisionEvent): readonly Alert[] {
    const awaited = this.#decisions.get(event.decision.id);
    if (awaited === undefined) return [];
    awaited.outcome = event;
    return awaited.episodes
      .filter((episode) => applyOutcome(episode, event) && episode.alert.revision >= 0)
      .map((episode) => this.#send(episode, episode.sentAtUs));
  }

  /** The alert as it stands, where there is news and the last was sent at least a second ago. */
  takeUpdate(episode: Episode, nowUs: number): Alert | undefined {
    const isDue = episode.isChanged && Math.abs(nowUs - episode.sentAtUs) >= updateEveryUs;
    return isDue ? this.#send(episode, nowUs) : undefined;
  }

  /** Updates that had to wait, and the last word of episodes that are over by now. Packet time in µs. */
  advance(nowUs: number): readonly Alert[] {
    if (Math.abs(nowUs - this.#sweptAtUs) < updateEveryUs) return [];
    this.#sweptAtUs = nowUs;
    return this.#sweep(nowUs);
  }

  /** The input has ended: the last word of every episode. */
  finish(): readonly Alert[] {
    return this.#sweep(Number.POSITIVE_INFINITY);
  }

  #sweep(nowUs: number): readonly Alert[] {
    const alerts: Alert[] = [];
    for (const [key, episode] of this.#episodes.entries()) {
      if (Math.abs(nowUs - episode.lastSeenUs) > quietUs) this.#episodes.delete(key);
      const update = this.takeUpdate(episode, nowUs);
      if (update !== undefined) alerts.push(update);
    }
    return alerts;
  }

  #running(key: string, atUs: number): Episode | undefined {
    const episode = this.#episodes.get(key);
    return episode !== undefined && Math.abs(atUs - episode.lastSeenUs) <= quietUs ? episode : undefined;
  }

  /** `isPlain`: the flows alone tell it now; once they did, it stays so. */
  #update(episode: Episode, { prediction, context }: ScoredWindow, isPlain = false): void {
    const { alert } = episode;
    const score = Math.max(alert.score, prediction.score);
    const is_plain = alert.is_plain || isPlain;
    const isNew = episode.seenIn !== prediction.id;
    episode.seenIn = prediction.id;
    episode.lastSeenUs = Math.max(episode.lastSeenUs, context.atUs);
    episode.alert = {
      ...alert,
      score,
      is_plain,
      severity: severityIn(is_plain, score),
      count: alert.count + (isNew ? 1 : 0),
      last_seen_at: instantOf(episode.lastSeenUs),
      explanation: alert.explanation ?? prediction.explanation,
    };
    episode.isChanged = true;
    this.#episodes.set(episode.key, episode);
  }

  #send(episode: Episode, nowUs: number): Alert {
    const { alert, offender } = episode;
    episode.sentAtUs = nowUs;
    episode.isChanged = false;
    episode.alert = {
      ...alert,
      revision: alert.revision + 1,
      message: alertMessage({
        attack: attackOf(alert),
        device: alert.device.address,
        offender,
        score: alert.score,
        isPlain: alert.is_plain,
        counted: episode.counted,
        count: alert.count,
        action: alert.action_taken,
        simulated: alert.simulated,
      }),
    };
    return episode.alert;
  }

  #opened(opening: AlertOpening, alertType: AlertType): Alert {
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
      evidence: context.flows.map((flow) => evidenceOf(flow, this.#bootId)),
      prediction_id: prediction.id,
      rule_id: opening.ruleId,
      decision_ids: [],
      action_taken: 'none',
      simulated: false,
      source: prediction.source,
      model_version: prediction.model_version,
    };
  }
}

/** What is plain is as grave as what a network is sure of. */
function severityIn(isPlain: boolean, score: number): Severity {
  return severityOf(isPlain ? 1 : score);
}

function episodeKey(device: string, offender: Offender, attack: AttackClass): string {
  return `${device} ${peerOf(offender) ?? '-'} ${attack}`;
}

/** An episode is only ever opened for an attack. */
function attackOf(alert: Alert): AttackClass {
  return alert.class === 'benign' ? 'other_attack' : alert.class;
}

/** True where the alert has something stronger to tell now. */
function applyOutcome(episode: Episode, event: DecisionEvent): boolean {
  const simulated = event.state === 'simulated';
  if (!simulated && event.state !== 'applied' && event.state !== 'verified') return false;
  const { alert } = episode;
  const action = actionOf(event);
  const isStronger =
    weightOf[action] > weightOf[alert.action_taken] || (action === alert.action_taken && alert.simulated && !simulated);
  if (!isStronger) return false;
  episode.alert = {
    ...alert,
    action_taken: action,
    simulated,
    alert_type: action === 'quarantined' ? 'device_quarantined' : alert.alert_type,
  };
  episode.isChanged = true;
  return true;
}

function actionOf({ decision }: DecisionEvent): ActionTaken {
  if (decision.action === 'quarantine') return 'quarantined';
  return decision.action === 'rate_limit' ? 'rate_limited' : 'ip_blocked';
}
