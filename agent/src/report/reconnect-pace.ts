/** How long to wait before knocking again: doubling with jitter, so that a fleet does not come back at one instant. */

export interface ReconnectPaceOptions {
  readonly firstMs: number;
  /** Longest wait where nobody answers. */
  readonly maxMs: number;
  /** Wait after a refusal: what a person has to mend is not mended in seconds. */
  readonly refusedMs: number;
  /** A connection that lived this long counts as good, and the next wait begins anew. */
  readonly stableMs: number;
}

const field: ReconnectPaceOptions = { firstMs: 500, maxMs: 15_000, refusedMs: 120_000, stableMs: 30_000 };

export class ReconnectPace {
  readonly #options: ReconnectPaceOptions;
  readonly #random: () => number;
  #attempts = 0;

  constructor(options: Partial<ReconnectPaceOptions> = {}, random: () => number = Math.random) {
    this.#options = { ...field, ...options };
    this.#random = random;
  }

  /** Milliseconds until the next attempt, after a connection (or the try) that lived `livedMs`. */
  next(last: { readonly livedMs: number; readonly refused: boolean }): number {
    if (last.livedMs >= this.#options.stableMs) this.#attempts = 0;
    const base = Math.min(this.#options.maxMs, this.#options.firstMs * 2 ** Math.min(this.#attempts, 16));
    this.#attempts += 1;
    const wait = last.refused ? this.#options.refusedMs : base;
    return wait * (0.5 + this.#random());
  }
}
