/**
 * How many restrictions the gateway may make of its own within a minute; more is a mistake or a trick, not defence. Who
 * forges sources can use up what is there for forgeries, and nothing else: what is proven and what protects a target
 * have shares that nobody else gets.
 */
import type { Decision } from '@picket/shared/contract/decision';

const maxPerMinute = 60;
const lanes = ['forgeable', 'proven', 'protection'] as const;
/**
 * `forgeable`: it names a source that was not seen to keep up a conversation. `protection`: it limits what reaches a
 * target, and names nobody. `proven`: all others.
 */
export type AutomaticLane = (typeof lanes)[number];

/** Kept for the lane whatever the others want: forgeries get 30 at most, what is proven 50, protections 40. */
const reserved: Readonly<Record<AutomaticLane, number>> = { forgeable: 0, proven: 20, protection: 10 };

/** Undefined for what people ask for. */
export function laneOf(decision: Decision, isForgeable: boolean): AutomaticLane | undefined {
  if (decision.origin !== 'model' && decision.origin !== 'rule') return undefined;
  if (decision.action === 'rate_limit' && decision.direction === 'to') return 'protection';
  return isForgeable ? 'forgeable' : 'proven';
}

export class AutomaticShare {
  readonly #now: () => number;
  #made: { readonly lane: AutomaticLane; readonly atMs: number }[] = [];

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Why there is no room for one more of this lane, for people; undefined where there is. */
  problem(lane: AutomaticLane): string | undefined {
    const minuteAgo = this.#now() - 60_000;
    this.#made = this.#made.filter(({ atMs }) => atMs > minuteAgo);
    const taken = lanes.map((other) => {
      const count = this.#made.filter((one) => one.lane === other).length;
      return other === lane ? count : Math.max(count, reserved[other]);
    });
    return taken.reduce((sum, count) => sum + count, 0) < maxPerMinute
      ? undefined
      : `the model made as many decisions within a minute as it may (${lane}: ${this.#made.length} of ${maxPerMinute} in all, shares kept for others); no more of them until a person looks`;
  }

  note(lane: AutomaticLane): void {
    this.#made.push({ lane, atMs: this.#now() });
  }
}
