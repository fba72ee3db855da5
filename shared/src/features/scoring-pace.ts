/**
 * When the window of a device is scored: after a quarter second of packet time at the soonest, because neighbouring
 * windows share most of their flows. A window that shares none with the one before is new evidence however soon it comes, and
 * attacks of a second fill sixty such: so three may come ahead of time, and are made up for by rests afterwards. The same code
 * paces a gateway and the windows that evaluations cut.
 */
import { windowLength } from './feature-schema.ts';

/** Flows that pass between two windows of a device and are in neither: no more of them are counted. */
export const mostPassed = 64;

const restUs = 250_000;
/** With the one that came in time a second's worth. */
const mostAhead = 3;

export class ScoringPace {
  #scoredAtUs = Number.NEGATIVE_INFINITY;
  /** Until when the windows that were scored would have lasted, a rest each. */
  #madeUpAtUs = Number.NEGATIVE_INFINITY;

  /** `freshFlows`: new or updated since the last window that was evidence. `nowUs`: packet time. */
  isDue(nowUs: number, freshFlows: number): boolean {
    return this.hasRested(nowUs) || (freshFlows >= windowLength && this.#madeUpAtUs - nowUs <= mostAhead * restUs);
  }

  hasRested(nowUs: number): boolean {
    return nowUs - this.#scoredAtUs >= restUs;
  }

  noteScored(nowUs: number): void {
    this.#scoredAtUs = nowUs;
    this.#madeUpAtUs = Math.max(this.#madeUpAtUs, nowUs) + restUs;
  }

  /** Packet time begins anew: a clock was set back. */
  reset(): void {
    this.#scoredAtUs = Number.NEGATIVE_INFINITY;
    this.#madeUpAtUs = Number.NEGATIVE_INFINITY;
  }
}
