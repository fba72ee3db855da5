/** Packets from a pcap or pcapng file, or from such bytes on standard input, at the pace the caller asks for. */
import { setTimeout as wait } from 'node:timers/promises';
import { CaptureInput } from './capture-input.ts';
import { type CaptureDrops, type Chunk, latestUs, type PacketSource } from './packet-source.ts';
import { PcapStream } from './pcap-stream.ts';

export interface PcapFileOptions {
  /** `max`: as fast as it is taken; 1: as recorded; 2: twice as fast. Changes when packets come, never their times. */
  readonly pace?: 'max' | number;
  /** Shift all times so that the first packet has this one, µs since 1970. */
  readonly rebaseToUs?: number;
}

export interface InputProgress {
  readonly bytesRead: number;
  readonly totalBytes: number | undefined;
}

/** Packets due within this many ms are delivered together. */
const paceGrainMs = 20;

/** One input. Owns it; close it with `await using`. */
export class PcapFileSource implements PacketSource {
  readonly #input: CaptureInput;
  readonly #options: PcapFileOptions;
  #shiftUs: number | undefined;
  #firstUs = 0;
  #startedMs = 0;

  private constructor(input: CaptureInput, options: PcapFileOptions) {
    this.#input = input;
    this.#options = options;
  }

  /**
   * Open a file or a named pipe; `-` is standard input.
   * @throws {CaptureError} `not-found`, `not-permitted`, `not-a-capture` or `capture-failed`
   */
  static async open(path: string, options: PcapFileOptions = {}): Promise<PcapFileSource> {
    return new PcapFileSource(await CaptureInput.open(path), options);
  }

  get name(): string {
    return this.#input.name;
  }

  /** How far the input was read, in bytes of how many; a pipe does not know how many. */
  get progress(): InputProgress {
    return { bytesRead: this.#input.bytesRead, totalBytes: this.#input.totalBytes };
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk, void, void> {
    const stream = new PcapStream(this.name);
    for await (const _ of this.#input.readInto(stream, signal)) {
      for (let chunk = stream.next(); chunk !== undefined; chunk = stream.next()) {
        if (signal.aborted) return;
        this.#rebase(chunk);
        if (this.#options.pace === undefined || this.#options.pace === 'max') yield chunk;
        else yield* this.#paced(chunk, this.#options.pace, signal);
        if (signal.aborted) return;
      }
    }
    if (!signal.aborted) stream.end();
  }

  drops(): CaptureDrops {
    return { kernel: 0, interface: 0, restarts: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input[Symbol.asyncDispose]();
  }

  #rebase(chunk: Chunk): void {
    if (this.#shiftUs === undefined) {
      const first = chunk.timesUs[0]!;
      this.#shiftUs = this.#options.rebaseToUs === undefined ? 0 : this.#options.rebaseToUs - first;
      this.#firstUs = first + this.#shiftUs;
      this.#startedMs = performance.now();
    }
    if (this.#shiftUs === 0) return;
    // A hostile clock may jump so far that the shift would lead out of time.
    for (let row = 0; row < chunk.count; row++) {
      chunk.timesUs[row] = Math.min(Math.max(chunk.timesUs[row]! + this.#shiftUs, 0), latestUs);
    }
  }

  async *#paced(chunk: Chunk, factor: number, signal: AbortSignal): AsyncGenerator<Chunk, void, void> {
    let row = 0;
    while (row < chunk.count && !signal.aborted) {
      const dueMs = (chunk.timesUs[row]! - this.#firstUs) / 1000 / factor;
      const aheadMs = dueMs - (performance.now() - this.#startedMs);
      if (aheadMs > 0 && !(await waited(aheadMs, signal))) return;
      const untilUs = this.#firstUs + (performance.now() - this.#startedMs + paceGrainMs) * 1000 * factor;
      const from = row++;
      while (row < chunk.count && chunk.timesUs[row]! <= untilUs) row++;
      yield rows(chunk, from, row);
    }
  }
}

function rows(chunk: Chunk, from: number, to: number): Chunk {
  return {
    count: to - from,
    bytes: chunk.bytes,
    offsets: chunk.offsets.subarray(from, to),
    lengths: chunk.lengths.subarray(from, to),
    wireLengths: chunk.wireLengths.subarray(from, to),
    timesUs: chunk.timesUs.subarray(from, to),
    linkTypes: chunk.linkTypes.subarray(from, to),
  };
}

/** A timer holds at most 2^31 ms; a recorded silence may be longer. False when aborted. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    for (let left = ms; left > 0; left -= 1e9) await wait(Math.min(left, 1e9), undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
