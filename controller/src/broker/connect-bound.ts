/** How often one gateway may connect: a broken agent that connects in a loop must not keep the broker busy. */

export class ConnectBound {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #seen = new Map<string, { windowStart: number; count: number }>();

  constructor(options: { readonly limit: number; readonly windowMs: number; readonly now?: () => number }) {
    this.#limit = options.limit;
    this.#windowMs = options.windowMs;
    this.#now = options.now ?? Date.now;
  }

  /** False once `limit` connections came within the window; true again when the next window begins. */
  admit(name: string): boolean {
    const now = this.#now();
    const seen = this.#seen.get(name);
    if (seen === undefined || now - seen.windowStart >= this.#windowMs) {
      if (this.#seen.size > 10_000) this.#forgetEnded(now);
      this.#seen.set(name, { windowStart: now, count: 1 });
      return true;
    }
    seen.count += 1;
    return seen.count <= this.#limit;
  }

  #forgetEnded(now: number): void {
    for (const [name, seen] of this.#seen) if (now - seen.windowStart >= this.#windowMs) this.#seen.delete(name);
  }
}
