/**
 * What came of the policy that is being tried, in a file whose room was taken before it was tried: a disk that fills up
 * meanwhile cannot keep it from being written down. It is read at the next start where the database says of that policy
 * only that it is being tried.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { z } from 'zod';

const Outcome = z.strictObject({
  kid: z.string(),
  version: z.int(),
  outcome: z.discriminatedUnion('step', [
    z.strictObject({ step: z.literal('accepted') }),
    /** Put back, and may be tried again. */
    z.strictObject({ step: z.literal('abandoned') }),
    z.strictObject({ step: z.literal('rolled_back'), reason: z.string() }),
  ]),
});
export type Outcome = z.infer<typeof Outcome>;

/** Bytes; one block of a disk, written in place from then on. */
const size = 4096;

export class OutcomeSlot {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Empty, and its room taken, on the platter when this returns. Throws where there is no room. */
  reserve(): void {
    closeSync(openSync(this.#path, 'a')); // made where it is missing
    this.#write('');
  }

  /** On the platter when this returns; needs no room. Throws where it was not reserved, or cannot be written. */
  write(outcome: Outcome): void {
    this.#write(JSON.stringify(outcome));
  }

  /** Undefined where nothing, or half of something, was written. */
  read(): Outcome | undefined {
    try {
      return Outcome.safeParse(JSON.parse(readFileSync(this.#path, 'utf8'))).data;
    } catch {
      return undefined;
    }
  }

  #write(text: string): void {
    const block = Buffer.alloc(size, ' ');
    if (block.write(text) < Buffer.byteLength(text)) throw new Error(`an outcome has at most ${size} bytes`);
    const file = openSync(this.#path, 'r+');
    try {
      if (writeSync(file, block, 0, size, 0) < size) throw new Error(`${this.#path}: no room for ${size} bytes`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
}
