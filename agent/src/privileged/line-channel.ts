/**
 * JSON values, one a line, over a socket between two processes that do not trust each other. A line that is too long
 * or no JSON is skipped to its end and reported; nothing that comes in throws or grows without bound.
 */
import type { Duplex } from 'node:stream';

export interface LineChannelOptions {
  /** Longest line that is read, in bytes. */
  readonly maxLineBytes: number;
  readonly onValue: (value: unknown) => void;
  readonly onBadLine: (reason: string) => void;
  /** The other side is gone. */
  readonly onClose: () => void;
}

/** Bytes that may wait for a reader who does not read; beyond it the channel is closed. */
const maxWaitingBytes = 64 * 1024 * 1024;
const newline = 0x0a;

export class LineChannel implements Disposable {
  readonly #socket: Duplex;
  readonly #options: LineChannelOptions;
  #parts: Buffer[] = [];
  #bytes = 0;
  #isSkipping = false;

  private constructor(socket: Duplex, options: LineChannelOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Owns the socket from here on. */
  static open(socket: Duplex, options: LineChannelOptions): LineChannel {
    const channel = new LineChannel(socket, options);
    socket.on('data', (data: Buffer) => channel.#read(data));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => options.onClose());
    socket.once('end', () => socket.destroy());
    return channel;
  }

  /** Lost where the other side is gone: `onClose` says so. */
  send(value: unknown): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(`${JSON.stringify(value)}\n`);
    if (this.#socket.writableLength > maxWaitingBytes) this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(data: Buffer): void {
    let start = 0;
    for (let end = data.indexOf(newline); end !== -1; end = data.indexOf(newline, start)) {
      this.#keep(data.subarray(start, end));
      this.#endLine();
      start = end + 1;
    }
    this.#keep(data.subarray(start));
  }

  #keep(part: Buffer): void {
    if (part.length === 0 || this.#isSkipping) return;
    this.#bytes += part.length;
    if (this.#bytes <= this.#options.maxLineBytes) {
      this.#parts.push(part);
      return;
    }
    this.#isSkipping = true;
    this.#parts = [];
    this.#options.onBadLine(`a line may have at most ${this.#options.maxLineBytes} bytes`);
  }

  #endLine(): void {
    const line = this.#isSkipping ? undefined : Buffer.concat(this.#parts).toString('utf8');
    this.#isSkipping = false;
    this.#parts = [];
    this.#bytes = 0;
    if (line === undefined) return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#options.onBadLine('a line is one JSON value');
      return;
    }
    this.#options.onValue(value);
  }
}
