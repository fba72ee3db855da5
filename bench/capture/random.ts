/** Numbers that look random and are the same every time and everywhere: xoshiro128** from a fixed seed. */

export class Random {
  readonly #state = Uint32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x8aed2a6a);

  constructor(seed: number) {
    this.#state[0]! ^= seed;
    for (let turn = 0; turn < 64; turn++) this.word();
  }

  /** 32 bits. */
  word(): number {
    const state = this.#state;
    const second = state[1]!;
    const product = Math.imul(second, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    state[2]! ^= state[0]!;
    state[3]! ^= second;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= second << 9;
    state[3] = (state[3]! << 11) | (state[3]! >>> 21);
    return result;
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return this.word() / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Exponential with this mean, rounded up: whole numbers, so that no platform's logarithm shows. */
  exponential(mean: number): number {
    return Math.max(1, Math.ceil(-mean * Math.log(1 - this.fraction())));
  }
}
