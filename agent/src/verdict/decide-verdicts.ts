/**
 * Predictions and rules in, verdicts out: which alerts a person should see and which decisions to propose. Reads no
 * clock and does no I/O; time is packet time, so that a replayed capture gets the verdicts it got live.
 */
import type { Alert, AlertType } from '@picket/shared/contract/alert';
import type { Decision, DecisionEvent } from '@picket/shared/contract/decision';
import { newId, type BootId, type DecisionId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import { BoundedMap } from '@picket/shared/policy/bounded-map';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { halfOpenFlood } from '@picket/shared/policy/half-open-flood';
import { findingsOf, type MeasureRecord, type Proven } from '@picket/shared/policy/measures';
import { Prevention, type PreventionOptions } from '@picket/shared/policy/prevention';
import { restrictionKey, type Restriction } from '@picket/shared/policy/restriction';
import { AlertEpisodes, isOver } from './alert-episodes.ts';
import { draftOf, type DecisionDraft } from './decision-draft.ts';
import type { Episode } from './episode.ts';
import { judgedOf, likeliestAttack, type AttackClass, type ScoredWindow } from './scored-window.ts';

export interface VerdictOptions extends Omit<PreventionOptions, 'rules'> {
  readonly bootId: BootId;
  readonly rules?: readonly Rule[];
}

/** What one window led to. */
export interface Verdict {
  /** New alerts and newer revisions of those that go on or come back. */
  readonly alerts: readonly Alert[];
  /** To be proposed to the enforcer. */
  readonly drafts: readonly DecisionDraft[];
}

/** A window beside the rules that it proves. */
export interface WeighedWindow {
  readonly proven: readonly Proven[];
  /**
   * What it opens an alert of, brings back, or goes on with without reasons yet: worth an explanation before `decide`.
   * Undefined for every other window.
   */
  readonly needsReasonsFor: AttackClass | undefined;
  /**
   * It proves a rule, reaches the threshold that a rule has of its own, or shows a plain flood: a person will want to see
   * it, and a dry run needs it, though the network's threshold calls it benign.
   */
  readonly isEvidence: boolean;
}

export class Verdicts {
  readonly #prevention: Prevention;
  readonly #episodes: AlertEpisodes;
  /** The latest decision that was made for a restriction. */
  readonly #decisionIds: BoundedMap<string, DecisionId>;
  #rules: readonly Rule[];

  constructor(options: VerdictOptions) {
    const { bootId, rules = defaultRules, ...others } = options;
    this.#rules = rules;
    this.#prevention = new Prevention({ ...others, rules });
    this.#episodes = new AlertEpisodes(bootId, options.capacity);
    this.#decisionIds = new BoundedMap(options.capacity ?? 4096);
  }

  /** Attacks that go on. */
  get openEpisodes(): number {
    return this.#episodes.open;
  }

  /** Devices, cooldowns and episodes that had to be forgotten. */
  get evicted(): number {
    return this.#prevention.evicted + this.#episodes.evicted;
  }

  /**
   * At a start: what is held already is not asked for again, nor what a person lifted before its end, and who was
   * restricted before is no stranger.
   */
  restore(held: readonly Decision[], known: readonly MeasureRecord[], lifted: readonly MeasureRecord[]): void {
    this.#prevention.restore(held, known, lifted);
    for (const decision of held) {
      if (decision.rule_id !== null) this.#decisionIds.set(restrictionKey(decision), decision.id);
    }
  }

  /** What the next run has to know of it; undefined where that is nothing. */
  recordOf(restriction: Restriction): MeasureRecord | undefined {
    return this.#prevention.recordOf(restriction);
  }

  /** From here on these rules count, in this order; what was seen so far counts for them too. */
  useRules(rules: readonly Rule[]): void {
    this.#rules = rules;
    this.#prevention.useRules(rules);
  }

  /** The rule with this id, as it stands now. */
  ruleOf(id: string): Rule | undefined {
    return this.#rules.find((rule) => rule.id === id);
  }

  /** The alert with this id, while its attack goes on or may come back. */
  alertOf(id: string): Alert | undefined {
    return this.#episodes.find(id);
  }

  /** Remembers what the window says. Once for each window, in the order of their packet times. */
  weigh(scored: ScoredWindow): WeighedWindow {
    const { context } = scored;
    const judged = judgedOf(scored);
    const proven = this.#prevention.weigh(judged);
    const isEvidence = proven.length > 0 || halfOpenFlood(judged) !== undefined || this.#isSureEnough(scored);
    const first = findingsOf(proven)[0]?.[0];
    if (first === undefined) return { proven, needsReasonsFor: undefined, isEvidence };
    const { attack } = first.proof;
    const offender = this.#prevention.offenderOf({ ...judged, flowImportance: null }, first.proof);
    const isExplained = this.#episodes.isExplained(context.device.address, attack, offender, context.atUs);
    return { proven, needsReasonsFor: isExplained ? undefined : attack, isEvidence };
  }

  #isSureEnough({ prediction }: ScoredWindow): boolean {
    return this.#rules.some(
      ({ is_enabled, threshold }) => is_enabled && threshold !== null && prediction.score >= threshold,
    );
  }

  /** What follows. Give what `weigh` said where the window was weighed already, to have it explained in between. */
  decide(scored: ScoredWindow, { proven } = this.weigh(scored)): Verdict {
    const { prediction, context } = scored;
    const judged = judgedOf(scored);
    const alerts: Alert[] = [...this.#episodes.advance(context.atUs)];
    const drafts: DecisionDraft[] = [];
    const episodes: (Episode | undefined)[] = [];
    for (const finding of findingsOf(proven)) {
      const { rule, proof } = finding[0];
      const episode = this.#episodes.prove({
        scored,
        attack: proof.attack,
        offender: this.#prevention.offenderOf(judged, proof),
        ruleId: rule.id,
        alertType: alertTypeOf(rule),
        hits: proof.hits,
        sinceUs: proof.sinceUs,
        isPlain: proof.flood !== null || proof.counted !== null,
        counted: proof.counted?.words ?? null,
      });
      drafts.push(...this.#draft(scored, finding, episode));
      episodes.push(episode);
    }
    if (episodes.length === 0 && prediction.label === 'attack') {
      const attack = likeliestAttack(scored);
      const offender = this.#prevention.offenderOf(judged, { attack });
      episodes.push(this.#episodes.witness(scored, attack, offender));
    }
    for (const episode of episodes) {
      const update = episode?.takeUpdate(context.atUs);
      if (update !== undefined) alerts.push(update);
    }
    return { alerts, drafts };
  }

  /** What became of a decision: the alerts that it changes. */
  noteDecision(event: DecisionEvent): readonly Alert[] {
    if (event.state === 'refused') this.#prevention.forget(event.decision);
    else if (event.state === 'retracted') this.#prevention.forgive(event.decision);
    else if (event.state !== 'expired') this.#prevention.noteHeld(event.decision, event.decision.mode);
    if (isOver(event)) this.#forgetDecision(event.decision);
    return this.#episodes.noteDecision(event);
  }

  /** Packet time has come this far (µs) though nothing was scored. */
  advance(nowUs: number): readonly Alert[] {
    return this.#episodes.advance(nowUs);
  }

  /** The input has ended: the last word of every episode. */
  finish(): readonly Alert[] {
    return this.#episodes.finish();
  }

  /** What asks for the same restriction later names this decision no more: nothing is to be heard of it. */
  #forgetDecision(decision: Decision): void {
    const key = restrictionKey(decision);
    if (this.#decisionIds.get(key) === decision.id) this.#decisionIds.delete(key);
  }

  #draft(scored: ScoredWindow, finding: readonly Proven[], episode: Episode): readonly DecisionDraft[] {
    const judged = judgedOf(scored);
    const { taken, running } = this.#prevention.act(judged, finding);
    for (const key of running) {
      const id = this.#decisionIds.get(key);
      if (id !== undefined) this.#episodes.addDecision(episode, id);
    }
    return taken.map((measure) => {
      const id = newId() as DecisionId;
      this.#decisionIds.set(restrictionKey(measure.restriction), id);
      this.#episodes.addDecision(episode, id);
      return draftOf(measure, scored, this.#prevention.offenderOf(judged, measure.proof), {
        id,
        alertId: episode.alert.id,
      });
    });
  }
}

function alertTypeOf(rule: Rule): Extract<AlertType, 'threshold_breach' | 'sustained_attack'> {
  return rule.min_windows === 1 ? 'threshold_breach' : 'sustained_attack';
}
