/** Seeded chance: the same seed gives the same settings, orders and pauses, so that a capture can be made again. */

const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
const lettersAndDigits = [...letters, ...'0123456789'.split('')];

/** mulberry32: 32 bits of state are plenty for choosing pauses and file sizes. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number from low to high, both included. */
  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  /** Exponential with the given mean, cut at five means: how independent events follow each other. */
  exponential(mean: number): number {
    return Math.min(-Math.log(1 - this.next()) * mean, 5 * mean);
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.next() * choices.length)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }

  /** Lower-case letters and digits, never beginning with a digit. */
  word(length: number): string {
    let word = this.pick(letters);
    while (word.length < length) word += this.pick(lettersAndDigits);
    return word;
  }

  /** A stream of its own, so that one client's choices do not shift another's. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 4_294_967_296));
  }
}
