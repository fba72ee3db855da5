/**
 * Predictions and rules in, verdicts out: which alerts a person should see and which decisions to propose. Reads no
 * clock and does no I/O; time is packet time, so that a replayed capture gets the verdicts it got live.
 */
import type { Alert, AlertType } from '@picket/shared/contract/alert';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import { newId, type BootId, type DecisionId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { AlertEpisodes, peerOf, type Episode } from './alert-episodes.ts';
import { BoundedMap } from './bounded-map.ts';
import { restrictionKey, restrictionsFor, type DecisionDraft, type Restriction } from './decision-draft.ts';

import { Evidence, type Proof } from './evidence.ts';
import { findOffender, type Offender } from './offending-peer.ts';
import { likeliestAttack, type AttackClass, type ScoredWindow } from './scored-window.ts';

export interface VerdictOptions {
  readonly bootId: BootId;
  readonly rules?: readonly Rule[];
  /** Devices and episodes that are remembered. */
  readonly capacity?: number;
}

/** What one window led to. */
export interface Verdict {
  /** New alerts and newer revisions of running ones. */
  readonly alerts: readonly Alert[];
  /** To be proposed to the enforcer. */
  readonly drafts: readonly DecisionDraft[];
}

/** A window beside the rules that it proves. */
export interface WeighedWindow {
  readonly proven: readonly { readonly rule: Rule; readonly proof: Proof }[];
  /**
   * What it opens an alert of, or goes on with one of that has no reasons yet: worth an explanation before `decide`.
   * Undefined for every other window.
   */
  readonly needsReasonsFor: AttackClass | undefined;
}

interface Proposal {
  readonly id: DecisionId;
  readonly untilUs: number;
}

export class Verdicts {
  readonly #evidence: Evidence;
  readonly #episodes: AlertEpisodes;
  /** What was proposed and has not run out, so that many devices under one attacker make one decision. */
  readonly #proposed: BoundedMap<string, Proposal>;
  #rules: readonly Rule[];

  constructor(options: VerdictOptions) {
    this.#evidence = new Evidence(options.capacity);
    this.#episodes = new AlertEpisodes(options.bootId, options.capacity);
    this.#proposed = new BoundedMap(options.capacity ?? 4096);
    this.#rules = options.rules ?? defaultRules;
  }

  /** Alerts of episodes that last. */
  get openEpisodes(): number {
    return this.#episodes.open;
  }

  /** Devices, cooldowns and episodes that had to be forgotten. */
  get evicted(): number {
    return this.#evidence.evicted + this.#episodes.evicted;
  }

  /** From here on these rules count, in this order; what was seen so far counts for them too. */
  useRules(rules: readonly Rule[]): void {
    this.#rules = rules;
  }

  /** Remembers what the window says. Once for each window, in the order of their packet times. */
  weigh(scored: ScoredWindow): WeighedWindow {
    const { context } = scored;
    this.#evidence.add(scored);
    const proven = context.countsAsEvidence ? this.#provenRules(scored) : [];
    const [first] = proven;
    if (first === undefined) return { proven, needsReasonsFor: undefined };
    const { attack } = first.proof;
    const offender = findOffender(context, attack, null);
    const isExplained = this.#episodes.isExplained(context.device.address, attack, offender, context.atUs);
    return { proven, needsReasonsFor: isExplained ? undefined : attack };
  }

  /** What follows. Give what `weigh` said where the window was weighed already, to have it explained in between. */
  decide(scored: ScoredWindow, { proven } = this.weigh(scored)): Verdict {
    const { prediction, context } = scored;
    const alerts: Alert[] = [...this.#episodes.advance(context.atUs)];
    const drafts: DecisionDraft[] = [];
    const [first] = proven;
    let episode: Episode | undefined;
    if (first !== undefined) {
      const { rule, proof } = first;
      const offender = findOffender(context, proof.attack, prediction.explanation);
      episode = this.#episodes.prove({
        scored,
        attack: proof.attack,
        offender,
        ruleId: rule.id,
        alertType: alertTypeOf(rule),
        hits: proof.hits,
        sinceUs: proof.sinceUs,
      });
      const acting = proven.find((candidate) => candidate.rule.action !== 'alert_only');
      if (acting !== undefined) drafts.push(...this.#draft(acting.rule, acting.proof, offender, scored, episode));
    } else if (prediction.label === 'attack') {
      const attack = likeliestAttack(prediction);
      episode = this.#episodes.witness(scored, attack, findOffender(context, attack, prediction.explanation));
    }
    const update = episode === undefined ? undefined : this.#episodes.takeUpdate(episode, context.atUs);
    if (update !== undefined) alerts.push(update);
    return { alerts, drafts };
  }

  /** What became of a decision: the alerts that it changes. */
  noteDecision(event: DecisionEvent): readonly Alert[] {
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

  #provenRules({ context }: ScoredWindow): readonly { readonly rule: Rule; readonly proof: Proof }[] {
    const { address, mac } = context.device;
    return this.#rules.flatMap((rule) => {
      if (!rule.is_enabled) return [];
      if (rule.device !== null && rule.device !== address && rule.device !== mac) return [];
      const proof = this.#evidence.prove(rule, address);
      return proof === undefined ? [] : [{ rule, proof }];
    });
  }

  #draft(
    rule: Rule,
    proof: Proof,
    offender: Offender,
    { prediction, context }: ScoredWindow,
    episode: Episode,
  ): readonly DecisionDraft[] {
    const { device, atUs } = context;
    const peer = peerOf(offender);
    if (this.#evidence.isResting(rule, device.address, peer, atUs)) return [];
    this.#evidence.rest(rule, device.address, peer, atUs);
    const isInternal = context.flows.some(
      (flow) => flow.direction === 'internal' && (flow.srcIp === peer || flow.dstIp === peer),
    );
    return restrictionsFor(rule, offender, proof.attack, device, isInternal).flatMap((restriction) => {
      const running = this.#runningProposal(restriction, atUs);
      const id = running ?? (newId() as DecisionId);
      this.#episodes.addDecision(episode, id);
      if (running !== undefined) return [];
      this.#proposed.set(restrictionKey(restriction), { id, untilUs: atUs + rule.duration_seconds * 1_000_000 });
      return [
        {
          ...restriction,
          id,
          origin: 'model',
          scenario: proof.attack,
          mode: rule.mode ?? 'enforce',
          reason: `${proof.attack} in ${proof.hits} of the last ${proof.of} windows of ${device.address}, score ${prediction.score.toFixed(2)}`,
          who: `${rule.name} (${prediction.model_version})`.slice(0, 100),
          alert_id: episode.alert.id,
          rule_id: rule.id,
          duration_seconds: rule.duration_seconds,
        },
      ];
    });
  }

  #runningProposal(restriction: Restriction, atUs: number): DecisionId | undefined {
    const proposal = this.#proposed.get(restrictionKey(restriction));
    return proposal !== undefined && atUs < proposal.untilUs ? proposal.id : undefined;
  }
}

function alertTypeOf(rule: Rule): Extract<AlertType, 'threshold_breach' | 'sustained_attack'> {
  return rule.min_windows === 1 ? 'threshold_breach' : 'sustained_attack';
}
