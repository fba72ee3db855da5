/** What a fuzzer asks of a program besides not throwing: a broken promise becomes an error that says which one. */

export class OracleFailure extends Error {
  override readonly name = 'OracleFailure';
  readonly oracle: string;

  constructor(oracle: string, detail: string) {
    super(`${oracle}: ${detail}`);
    this.oracle = oracle;
  }
}

/** `detail` is only asked for when the promise is broken. */
export function holds(oracle: string, promise: boolean, detail: () => string): asserts promise {
  if (!promise) throw new OracleFailure(oracle, detail());
}

/** What a run saw, folded into one number: equal runs have equal digests. */
export class Digest {
  #value = 0x811c9dc5;

  add(value: number): void {
    const whole = Math.floor(value);
    this.#value = Math.imul(this.#value ^ (whole | 0), 0x01000193);
    this.#value = Math.imul(this.#value ^ (Math.floor(whole / 4_294_967_296) | 0), 0x01000193);
  }

  addBytes(bytes: Uint8Array): void {
    let value = this.#value;
    for (let at = 0; at < bytes.length; at++) value = Math.imul(value ^ bytes[at]!, 0x01000193);
    this.#value = value;
  }

  get value(): number {
    return this.#value >>> 0;
  }
}
