/** Says what became of decisions, in the time of the wall, as people and the controller have it. */
import type { Decision, DecisionEvent, DecisionState } from '@picket/shared/contract/decision';
import { shiftDecision } from './shift-decision.ts';

export interface DecisionTellerOptions {
  readonly onEvent: (event: DecisionEvent) => void;
  /** Milliseconds since 1970 by the clock that decisions end by. */
  readonly now: () => number;
  /** What the wall clock has more than that. */
  readonly skewMs: () => number;
}

export class DecisionTeller {
  readonly #options: DecisionTellerOptions;
  #refused = 0;
  /** Written a moment ago: of thousands of decisions at once the same is told. */
  #latest = { atMs: 0, text: new Date(0).toISOString() };

  constructor(options: DecisionTellerOptions) {
    this.#options = options;
  }

  /** How many were refused. */
  get refused(): number {
    return this.#refused;
  }

  /** The event, without telling it. */
  eventOf(decision: Decision, state: DecisionState, detail: string | null): DecisionEvent {
    const skewMs = this.#options.skewMs();
    return {
      decision: shiftDecision(decision, skewMs),
      state,
      at: this.#instant(this.#options.now() + skewMs),
      detail: detail?.slice(0, 500) ?? null,
    };
  }

  tell(decision: Decision, state: DecisionState, detail: string | null): DecisionEvent {
    if (state === 'refused') this.#refused += 1;
    const event = this.eventOf(decision, state, detail);
    this.#options.onEvent(event);
    return event;
  }

  #instant(nowMs: number): string {
    const atMs = Math.floor(nowMs);
    if (atMs !== this.#latest.atMs) this.#latest = { atMs, text: new Date(atMs).toISOString() };
    return this.#latest.text;
  }
}
