/**
 * How much memory use has grown lately. What is given up near the bound stops the growth only after what is under way
 * between the threads has arrived, so it is begun with while there is room for as much again.
 */

export interface RecentGrowthOptions {
  /** Below this growth means nothing: it is programs being loaded. */
  readonly fromBytes: number;
  /** How far back is looked. */
  readonly withinMs: number;
}

export class RecentGrowth {
  readonly #options: RecentGrowthOptions;
  /** Oldest first; those of `withinMs`. */
  readonly #seen: { readonly atMs: number; readonly bytes: number }[] = [];

  constructor(options: RecentGrowthOptions) {
    this.#options = options;
  }

  /** So many bytes are in use now. Returns how many more that is than at the lowest of late; 0 while it falls. */
  note(nowMs: number, bytes: number): number {
    const { fromBytes, withinMs } = this.#options;
    const counted = Math.max(fromBytes, bytes);
    while (this.#seen.length > 0 && nowMs - this.#seen[0]!.atMs > withinMs) this.#seen.shift();
    // What is higher than a later value is never the lowest again: the list rises, and its first is the lowest.
    while (this.#seen.length > 0 && this.#seen.at(-1)!.bytes >= counted) this.#seen.pop();
    this.#seen.push({ atMs: nowMs, bytes: counted });
    return counted - this.#seen[0]!.bytes;
  }
}
