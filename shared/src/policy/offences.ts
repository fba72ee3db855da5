/**
 * Who was restricted before, how often, and on which step of a ladder: what makes the next restriction longer or
 * harsher. All times are packet times in µs.
 */
import type { Rule } from '../contract/rule.ts';
import { BoundedMap } from './bounded-map.ts';

/** What is remembered of one offender under one rule. */
export interface Offence {
  /** Restrictions so far. */
  readonly times: number;
  readonly firedAtUs: number;
  /** End of the latest. */
  readonly untilUs: number;
  /** Place in the rule's ladder; 0 without one. */
  readonly step: number;
}

/** Without an escalation a ladder goes back to its beginning after a quiet day. */
const forgetLadderAfterUs = 86_400_000_000;

export class Offences {
  readonly #offences: BoundedMap<string, Offence>;

  constructor(capacity = 4096) {
    this.#offences = new BoundedMap(capacity);
  }

  get evicted(): number {
    return this.#offences.evicted;
  }

  /** Undefined for who was never restricted under this rule, or is quiet for so long that it is forgotten. */
  of(rule: Rule, who: string, nowUs: number): Offence | undefined {
    const offence = this.#offences.get(`${rule.id} ${who}`);
    if (offence === undefined) return undefined;
    const forgetAfterUs =
      rule.escalation === null ? forgetLadderAfterUs : rule.escalation.forget_after_seconds * 1_000_000;
    // far before it began a clock was set back, and nobody knows how long it was quiet
    const isLongAgo = nowUs - offence.untilUs > forgetAfterUs || offence.firedAtUs - nowUs > forgetAfterUs;
    return isLongAgo ? undefined : offence;
  }

  /** It was restricted again, from now on and on this step. Answers for how long. */
  note(rule: Rule, who: string, nowUs: number, step = 0): number {
    const times = (this.of(rule, who, nowUs)?.times ?? 0) + 1;
    const seconds = durationSeconds(rule, times);
    this.#offences.set(`${rule.id} ${who}`, { times, firedAtUs: nowUs, untilUs: nowUs + seconds * 1_000_000, step });
    return seconds;
  }

  /** All that is known of it, however long ago. */
  latest(ruleId: string, who: string): Offence | undefined {
    return this.#offences.get(`${ruleId} ${who}`);
  }

  /** It is as it was, whatever was noted since; undefined: as if it had never been. */
  putBack(ruleId: string, who: string, offence: Offence | undefined): void {
    if (offence === undefined) this.#offences.delete(`${ruleId} ${who}`);
    else this.#offences.set(`${ruleId} ${who}`, offence);
  }

  /** A person said that it was nothing: the next time is the first again. */
  forgive(ruleId: string, who: string): void {
    this.#offences.delete(`${ruleId} ${who}`);
  }
}

/** Length of the `times`th restriction, from 1. */
export function durationSeconds(rule: Rule, times: number): number {
  const { duration_seconds: first, escalation } = rule;
  if (escalation === null) return first;
  const longest = Math.max(first, escalation.max_duration_seconds);
  return Math.min(longest, Math.round(first * escalation.factor ** Math.min(times - 1, 64)));
}
