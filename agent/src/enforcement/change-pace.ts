/**
 * How soon the network is looked at when it is said to have changed: at once a few times, for a link that comes up or a
 * router that takes over is a handful of changes, and then seldom, for anybody on the link can make them without end.
 */

/** An interface that comes up is a dozen lines. */
const gatherMs = 200;
const burst = 5;
const everyMs = 5000;

export class ChangePace {
  readonly #now: () => number;
  /** Looks that may be taken at once; one more each `everyMs`. */
  #left = burst;
  #atMs: number;

  /** `now`: milliseconds that only rise. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#atMs = now();
  }

  /** Something changed: wait so long, ms, and look. */
  next(): number {
    const nowMs = this.#now();
    this.#left = Math.min(burst, this.#left + (nowMs - this.#atMs) / everyMs);
    this.#atMs = nowMs;
    this.#left -= 1; // below zero it is owed: the look is taken once it is there
    return Math.max(gatherMs, -this.#left * everyMs);
  }
}
