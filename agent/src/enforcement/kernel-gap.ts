/** For how long the kernel did not hold what it should, because somebody else had changed it. In milliseconds. */
export class KernelGap {
  readonly #now: () => number;
  /** When the kernel was last known to hold what it should, and when somebody was seen to change it since. */
  #goodAtMs = 0;
  #changedAtMs: number | undefined;
  /** Since when a repair has been due. */
  #beganAtMs: number | undefined;
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
    if (this.#beganAtMs === undefined) return;
    const gapMs = this.#goodAtMs - this.#beganAtMs;
    this.#beganAtMs = undefined;
    this.#totalMs += gapMs;
    this.#maxMs = Math.max(this.#maxMs, gapMs);
  }

  /**
   * Somebody changed it, and it is to be repaired. The gap counts from when the change was seen, or else from the last
   * good look, until it is good again, however many attempts that takes.
   */
  noteRepair(): void {
    this.#repairs += 1;
    this.#beganAtMs ??= this.#changedAtMs ?? this.#goodAtMs;
  }
}
