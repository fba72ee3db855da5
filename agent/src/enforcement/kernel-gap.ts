/** For how long the kernel did not hold what it should, because somebody else had changed it. In milliseconds. */
export class KernelGap {
  readonly #now: () => number;
  /** When the kernel was last known to hold what it should, and when somebody was seen to change it since. */
  #goodAtMs = 0;
  #changedAtMs: number | undefined;
  #totalMs = 0;
  #maxMs = 0;
  #repairs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get totalMs(): number {
    return Math.round(this.#totalMs);
  }

  get maxMs(): number {
    return Math.round(this.#maxMs);
  }

  get repairs(): number {
    return this.#repairs;
  }

  /** Somebody was seen to change it; it may have been us. */
  noteChange(): void {
    this.#changedAtMs ??= this.#now();
  }

  /** It holds what it should. */
  noteGood(): void {
    this.#goodAtMs = this.#now();
    this.#changedAtMs = undefined;
  }

  /**
   * Does the repair, which says that all is good where it succeeds. The gap counts from when the change was seen, or
   * else from the last good look, until it holds again; one that could not be closed counts once it is.
   */
  async repair(hold: () => Promise<string | undefined>): Promise<void> {
    this.#repairs += 1;
    const beganAtMs = this.#changedAtMs ?? this.#goodAtMs;
    if ((await hold()) !== undefined) return;
    const gapMs = this.#now() - beganAtMs;
    this.#totalMs += gapMs;
    this.#maxMs = Math.max(this.#maxMs, gapMs);
  }
}
