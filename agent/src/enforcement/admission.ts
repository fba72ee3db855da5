/**
 * What a wish must pass before it is a decision that holds, whoever asks: a value that may be restricted, the guard,
 * the mode gate, an end that is near enough, and a bound on how many there are.
 */
import { maxDecisionSeconds, type Decision, type Mode } from '@picket/shared/contract/decision';
import { actionProblem, parseDecisionValue } from '@picket/shared/policy/decision-value';
import type { DecisionStore } from './decision-store.ts';
import { refuseByGuard, type Guard } from './guard.ts';
import { passModeGate } from './mode-gate.ts';

const maxHeld = 20_000;
/** Restrictions of the model's own making; more than this is a mistake or a trick, not defence. */
const maxAutomaticPerMinute = 60;

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
}

export class Admission {
  readonly #store: Pick<DecisionStore, 'size'>;
  readonly #now: () => number;
  #automaticAtMs: number[] = [];

  constructor(store: Pick<DecisionStore, 'size'>, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  admit(asked: Decision, terms: AdmissionTerms): Admitted {
    const parsed = parseDecisionValue(asked.scope, asked.value);
    if (!parsed.ok) return { state: 'refused', decision: asked, reason: parsed.reason };
    const misfit = actionProblem(asked.action, asked.scope);
    if (misfit !== undefined) return { state: 'refused', decision: asked, reason: misfit };
    const decision: Decision = { ...asked, value: parsed.value, mode: passModeGate(asked.mode, terms.mode) };
    const reason =
      refuseByGuard(parsed.target, terms.guard) ??
      this.#timeProblem(decision) ??
      (terms.lifted.has(decision.id) ? 'it was lifted' : undefined) ??
      this.#amountProblem(decision, terms.ahead);
    if (reason !== undefined) return { state: 'refused', decision, reason };
    if (decision.mode === 'observe') return { state: 'proposed', decision, reason: 'this gateway only observes' };
    if (isAutomatic(decision)) this.#automaticAtMs.push(this.#now());
    return { state: 'admitted', decision };
  }

  #timeProblem(decision: Decision): string | undefined {
    const leftMs = Date.parse(decision.expires_at) - this.#now();
    if (!(leftMs > 0)) return 'it has run out already';
    if (leftMs > maxDecisionSeconds * 1000 + 60_000) return `it would last longer than ${maxDecisionSeconds} seconds`;
    return undefined;
  }

  #amountProblem(decision: Decision, ahead: number): string | undefined {
    if (this.#store.size + ahead >= maxHeld) return `${maxHeld} decisions are held already`;
    if (!isAutomatic(decision)) return undefined;
    const minuteAgo = this.#now() - 60_000;
    this.#automaticAtMs = this.#automaticAtMs.filter((atMs) => atMs > minuteAgo);
    return this.#automaticAtMs.length >= maxAutomaticPerMinute
      ? `the model made ${maxAutomaticPerMinute} decisions within a minute; no more until a person looks`
      : undefined;
  }
}

function isAutomatic(decision: Decision): boolean {
  return decision.origin === 'model' || decision.origin === 'rule';
}
