/**
 * What a wish must pass before it is a decision that holds, whoever asks: a value that may be restricted, the guard,
 * the mode gate, an end that is near enough, and a bound on how many there are.
 */
import { maxDecisionSeconds, type Decision, type Mode } from '@picket/shared/contract/decision';
import { actionProblem, parseDecisionValue } from '@picket/shared/policy/decision-value';
import { AutomaticShare, laneOf, type AutomaticLane } from './automatic-share.ts';
import type { DecisionStore } from './decision-store.ts';
import { refuseByGuard, type Guard } from './guard.ts';
import { passModeGate } from './mode-gate.ts';

const maxHeld = 20_000;
/** Of these so many that no person made, and a few more where they protect a target: the rest is for people. */
const maxHeldAutomatic = 16_000;
const heldForProtection = 500;

/** The decision as it will be held, or why it is not. */
export type Admitted =
  | { readonly state: 'admitted'; readonly decision: Decision }
  | { readonly state: 'refused' | 'proposed'; readonly decision: Decision; readonly reason: string };

/** What decisions are judged by now. */
export interface AdmissionTerms {
  readonly guard: Guard;
  readonly mode: Mode;
  /** How many are admitted already and not in the store yet. */
  readonly ahead: number;
  /** Ids that a person lifted. */
  readonly lifted: ReadonlySet<string>;
  /** Ids of those that name a source which may be forged. */
  readonly forgeable: ReadonlySet<string>;
}

export class Admission {
  readonly #store: Pick<DecisionStore, 'size' | 'all'>;
  readonly #now: () => number;
  readonly #share: AutomaticShare;

  constructor(store: Pick<DecisionStore, 'size' | 'all'>, now: () => number) {
    this.#store = store;
    this.#now = now;
    this.#share = new AutomaticShare(now);
  }

  admit(asked: Decision, terms: AdmissionTerms): Admitted {
    const parsed = parseDecisionValue(asked.scope, asked.value);
    if (!parsed.ok) return { state: 'refused', decision: asked, reason: parsed.reason };
    const misfit = actionProblem(asked.action, asked.scope);
    if (misfit !== undefined) return { state: 'refused', decision: asked, reason: misfit };
    const decision: Decision = { ...asked, value: parsed.value, mode: passModeGate(asked.mode, terms.mode) };
    const lane = laneOf(decision, terms.forgeable.has(decision.id));
    const reason =
      refuseByGuard(parsed.target, terms.guard) ??
      this.#timeProblem(decision) ??
      (terms.lifted.has(decision.id) ? 'it was lifted' : undefined) ??
      this.#amountProblem(lane, terms.ahead);
    if (reason !== undefined) return { state: 'refused', decision, reason };
    if (decision.mode === 'observe') return { state: 'proposed', decision, reason: 'this gateway only observes' };
    if (lane !== undefined) this.#share.note(lane);
    return { state: 'admitted', decision };
  }

  #timeProblem(decision: Decision): string | undefined {
    const leftMs = Date.parse(decision.expires_at) - this.#now();
    if (!(leftMs > 0)) return 'it has run out already';
    if (leftMs > maxDecisionSeconds * 1000 + 60_000) return `it would last longer than ${maxDecisionSeconds} seconds`;
    return undefined;
  }

  #amountProblem(lane: AutomaticLane | undefined, ahead: number): string | undefined {
    const held = this.#store.size + ahead;
    if (held >= maxHeld) return `${maxHeld} decisions are held already`;
    if (lane === undefined) return undefined;
    const most = lane === 'protection' ? maxHeldAutomatic + heldForProtection : maxHeldAutomatic;
    if (held >= most && this.#automaticHeld() + ahead >= most)
      return `${most} decisions that no person made are held already; the rest is kept for people`;
    return this.#share.problem(lane);
  }

  #automaticHeld(): number {
    return this.#store.all().filter((decision) => laneOf(decision, false) !== undefined).length;
  }
}
