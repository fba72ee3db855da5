/**
 * Lines on standard output, in order and in bounded memory, whoever reads them: a slow reader is waited for, a reader
 * that went away ends the work quietly, and a disk that is full is an error like any other.
 */
import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { AgentError } from '../errors.ts';

const standardOutput = 1;
/** What `drained` leaves unwritten while the reader is behind. */
const mayWaitBytes = 1_048_576;
/** Beyond this the program itself waits, in the middle of whatever it does. */
const mostBytes = 33_554_432;
const pieceBytes = 262_144;
const retryMs = 1;

export interface OutputLinesOptions {
  /**
   * Told when the program must wait for the reader without looking at signals, and when that is over: whoever handles
   * signals steps aside meanwhile, so that they end the process as they do by default.
   */
  readonly onBlocked?: (isBlocked: boolean) => void;
}

export class OutputLines {
  readonly #options: OutputLinesOptions;
  readonly #closed = new AbortController();
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #failure: AgentError | undefined;
  #isPumping = false;

  private constructor(options: OutputLinesOptions) {
    this.#options = options;
  }

  static open(options: OutputLinesOptions = {}): OutputLines {
    void process.stdout; // a pipe does not block from here on: a write says when it is full
    return new OutputLines(options);
  }

  /** Aborts when nobody takes the output any more. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Waits for the reader only where more than 32 MiB would lie unread. A buffer is kept as it is. */
  add(lines: string | Buffer): void {
    if (lines.length === 0 || this.closed.aborted) return;
    const bytes = typeof lines === 'string' ? Buffer.from(lines) : lines;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > mostBytes) this.#block();
    else void this.#pump();
  }

  /** The reader is at most 1 MiB behind, or gone. */
  async drained(): Promise<void> {
    while (this.#waitingBytes > mayWaitBytes) await this.#whenWritable();
  }

  /**
   * Everything is with the reader, or the reader is gone.
   * @throws {AgentError} `cannot-create` when the output could not be written
   */
  async end(): Promise<void> {
    while (this.#waitingBytes > 0) await this.#whenWritable();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Write what waits beside the work. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    await new Promise((resolve) => setImmediate(resolve)); // lines that come together are written together
    while (this.#waitingBytes > 0) await this.#whenWritable();
    this.#isPumping = false;
  }

  async #whenWritable(): Promise<void> {
    if (!this.#write()) await wait(retryMs);
  }

  #block(): void {
    this.#options.onBlocked?.(true);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (this.#waitingBytes > mayWaitBytes) if (!this.#write()) Atomics.wait(pause, 0, 0, retryMs);
    this.#options.onBlocked?.(false);
  }

  /** One piece; false where the reader takes nothing now. */
  #write(): boolean {
    const [first] = this.#waiting;
    if (first === undefined) return true;
    if (first.length < pieceBytes && this.#waiting.length > 1) {
      this.#waiting = [Buffer.concat(this.#waiting)];
      return this.#write();
    }
    try {
      const written = writeSync(standardOutput, first, 0, Math.min(first.length, pieceBytes));
      this.#waitingBytes -= written;
      if (written === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(written);
      return true;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return false;
      if (code !== 'EPIPE') {
        const text = `standard output cannot be written (${message}): make room there, or choose another place`;
        this.#failure = new AgentError('cannot-create', text, { cause: error });
      }
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#closed.abort();
      return true;
    }
  }
}
