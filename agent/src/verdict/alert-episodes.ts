/**
 * The episodes that run or may come back, each with one alert: which of them a proof opens or goes on with, and which wait
 * to hear of a decision. Alerts that were updated are sent at most once a second. Where there are too many, the one that
 * was quiet for longest is given up: those that rest ahead of those that run, and beyond a quarter of all in any case.
 */
import type { Alert, AlertType } from '@picket/shared/contract/alert';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import type { BootId, DecisionId } from '@picket/shared/contract/identifiers';
import { quietUs } from '@picket/shared/policy/alert-times';
import { BoundedMap } from '@picket/shared/policy/bounded-map';
import { peerOf, type Offender } from '@picket/shared/policy/offender';
import { Episode, updateEveryUs, type AlertOpening } from './episode.ts';
import type { AttackClass, ScoredWindow } from './scored-window.ts';

/** A decision that holds or was only proposed, or that alerts wait to hear of. */
interface AwaitedDecision {
  /** Those that wait: none once it holds or was proposed, so that it keeps no episode that was given up. */
  readonly episodes: Episode[];
  outcome: DecisionEvent | undefined;
}

const maxAlertsPerDecision = 50;
/** Of the capacity. Each takes some 10 KB with its evidence and reasons, and after a storm they rest for an hour. */
const restingShare = 1 / 4;

export class AlertEpisodes {
  readonly #bootId: BootId;
  readonly #episodes: BoundedMap<string, Episode>;
  readonly #decisions: BoundedMap<DecisionId, AwaitedDecision>;
  readonly #maxResting: number;
  #sweptAtUs = 0;
  /** Of those that rest. */
  #givenUp = 0;

  constructor(bootId: BootId, capacity = 4096) {
    this.#bootId = bootId;
    this.#maxResting = Math.floor(capacity * restingShare);
    this.#episodes = new BoundedMap(capacity);
    this.#decisions = new BoundedMap(capacity);
  }

  /** Those that run; others rest. */
  get open(): number {
    return this.#runningAt(this.#sweptAtUs);
  }

  /** Episodes that were given up for others while they ran or could come back, and decisions whose outcome none hears of. */
  get evicted(): number {
    return this.#episodes.evicted + this.#givenUp + this.#decisions.evicted;
  }

  /** The alert with this id, while its episode runs or may come back. */
  find(id: string): Alert | undefined {
    for (const [, { alert }] of this.#episodes.entries()) if (alert.id === id) return alert;
    return undefined;
  }

  /** An attack was proven: the episode that it opens, goes on with or brings back. */
  prove(opening: AlertOpening): Episode {
    const { context } = opening.scored;
    const key = episodeKey(context.device.address, opening.offender, opening.attack);
    const known = this.#running(key, context.atUs) ?? this.#resting(key, context);
    known?.prove(opening);
    const episode = known ?? new Episode(opening, this.#alertTypeOf(opening), this.#bootId);
    this.#episodes.set(key, episode);
    return episode;
  }

  /** One more attack prediction that proves nothing by itself: counted where an episode runs. */
  witness(scored: ScoredWindow, attack: AttackClass, offender: Offender): Episode | undefined {
    const key = episodeKey(scored.context.device.address, offender, attack);
    const running = this.#running(key, scored.context.atUs);
    if (running === undefined) return undefined;
    running.see(scored);
    this.#episodes.set(key, running);
    return running;
  }

  /**
   * This attack runs and its reasons were found since it began or came back: more of them would say the same. Those of
   * before do not count, for whom the new evidence points to is found by its own.
   */
  isExplained(device: string, attack: AttackClass, offender: Offender, atUs: number): boolean {
    return this.#running(episodeKey(device, offender, attack), atUs)?.isExplained === true;
  }

  /** This decision was proposed because of the alert, or held already when it would have been. */
  addDecision(episode: Episode, decisionId: DecisionId): void {
    const awaited = this.#decisions.get(decisionId) ?? { episodes: [], outcome: undefined };
    this.#decisions.set(decisionId, awaited);
    episode.addDecision(decisionId, awaited.outcome);
    const { episodes, outcome } = awaited;
    if (outcome !== undefined && outcome.state !== 'failed') return;
    if (episodes.length < maxAlertsPerDecision && !episodes.includes(episode)) episodes.push(episode);
  }

  /** What became of a decision: an alert says what was done only once it was done. */
  noteDecision(event: DecisionEvent): readonly Alert[] {
    const awaited = this.#decisions.get(event.decision.id);
    if (awaited === undefined) return [];
    if (isOver(event)) this.#decisions.delete(event.decision.id);
    awaited.outcome = event;
    const told = event.state === 'failed' ? awaited.episodes : awaited.episodes.splice(0);
    return told.map((episode) => episode.noteOutcome(event)).filter((alert) => alert !== undefined);
  }

  /** Updates that had to wait: with them an episode that went quiet has had its last word. Packet time in µs. */
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
      if (!episode.lastsAt(nowUs)) this.#episodes.delete(key);
      const update = episode.takeUpdate(nowUs);
      if (update !== undefined) alerts.push(update);
    }
    this.#limitResting(nowUs);
    return alerts;
  }

  /** Gives up those that were quiet for longest: they have had their last word. */
  #limitResting(nowUs: number): void {
    let tooMany = this.#episodes.size - this.#runningAt(nowUs) - this.#maxResting;
    if (tooMany <= 0) return;
    for (const [key, episode] of this.#episodes.entries()) {
      if (episode.runsAt(nowUs)) continue;
      this.#episodes.delete(key);
      this.#givenUp += 1;
      tooMany -= 1;
      if (tooMany === 0) return;
    }
  }

  #runningAt(atUs: number): number {
    return this.#episodes.entries().reduce((sum, [, episode]) => sum + (episode.runsAt(atUs) ? 1 : 0), 0);
  }

  /** An attack of another class than those that the device is under is news of its own. */
  #alertTypeOf({ scored: { context }, attack, alertType }: AlertOpening): AlertType {
    const isNewType = this.#episodes.entries().some(
      ([, { alert, lastSeenUs }]) =>
        context.atUs - lastSeenUs <= quietUs && // most rest
        alert.device.address === context.device.address &&
        alert.class !== attack,
    );
    return isNewType ? 'new_attack_type' : alertType;
  }

  #running(key: string, atUs: number): Episode | undefined {
    const episode = this.#episodes.get(key);
    return episode?.runsAt(atUs) === true ? episode : undefined;
  }

  #resting(key: string, { atUs, device }: ScoredWindow['context']): Episode | undefined {
    const episode = this.#episodes.get(key);
    return episode?.lastsAt(atUs) === true && episode.isOf(device) ? episode : undefined;
  }
}

function episodeKey(device: string, offender: Offender, attack: AttackClass): string {
  return `${device} ${peerOf(offender) ?? '-'} ${attack}`;
}

/** Nothing more comes of it. What was only proposed stays so for as long as alerts name it. */
export function isOver({ state }: DecisionEvent): boolean {
  return state === 'refused' || state === 'expired' || state === 'retracted';
}
