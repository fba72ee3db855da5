/**
 * The bytes of a capture: a file of any size, a pipe with or without a name, or standard input. They are streamed into
 * a fixed buffer; nothing of them is kept.
 */
import { close, constants, fstat as fstatCallback, open, read as readCallback, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { CaptureError } from './capture-error.ts';
import type { PcapStream } from './pcap-stream.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const fstat = promisify(fstatCallback);
const read = promisify(readCallback);
const stdin = 0;

/** One input. Owns its descriptor, unless it is standard input; close it with `await using`. */
export class CaptureInput implements AsyncDisposable {
  readonly name: string;
  /** Undefined where nobody can know it: a pipe. */
  readonly totalBytes: number | undefined;
  readonly #descriptor: number;
  readonly #isPipe: boolean;
  #bytesRead = 0;
  #isOpen = true;

  private constructor(name: string, descriptor: number, stats: Stats) {
    this.name = name;
    this.totalBytes = stats.isFile() ? stats.size : undefined;
    this.#descriptor = descriptor;
    this.#isPipe = stats.isFIFO() || stats.isSocket();
  }

  /**
   * Open a file or a named pipe (whose writer may come later); `-` is standard input.
   * @throws {CaptureError} `not-found`, `not-permitted`, `not-a-capture` (a folder, a terminal) or `capture-failed`
   */
  static async open(path: string): Promise<CaptureInput> {
    if (path === '-') return CaptureInput.#openStdin();
    let descriptor: number | undefined;
    try {
      refuseFolder(path, await stat(path));
      // A blocking open would wait for a pipe's writer where no signal reaches.
      descriptor = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return new CaptureInput(path, descriptor, await fstat(descriptor));
    } catch (error) {
      if (descriptor !== undefined) await closeFile(descriptor);
      throw explainOpen(path, error);
    }
  }

  /** The descriptor itself: in a worker thread `process.stdin` is another stream, and empty. */
  static async #openStdin(): Promise<CaptureInput> {
    const name = 'standard input';
    if (isatty(stdin)) {
      throw new CaptureError('not-a-capture', `${name} is a terminal: pipe a capture in, or give a file`);
    }
    try {
      const stats = await fstat(stdin);
      refuseFolder(name, stats);
      return new CaptureInput(name, stdin, stats);
    } catch (error) {
      throw explainOpen(name, error);
    }
  }

  /** So far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /**
   * Put the bytes into `stream`, piece by piece: the stream is to be emptied after each.
   * @throws {CaptureError} `capture-failed` when reading fails
   */
  async *readInto(stream: PcapStream, signal: AbortSignal): AsyncGenerator<void, void, void> {
    if (signal.aborted) return;
    try {
      if (this.#isPipe) yield* this.#fillFromPipe(stream, signal);
      else yield* this.#fillFromFile(stream, signal);
    } catch (error) {
      if (signal.aborted) return;
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      throw new CaptureError(
        'capture-failed',
        `${this.name} cannot be read on at byte ${this.#bytesRead} (${(error as Error).message}): copy it to a sound disk and try again`,
        this.#bytesRead,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen || this.#descriptor === stdin) return;
    this.#isOpen = false;
    await closeFile(this.#descriptor);
  }

  async *#fillFromFile(stream: PcapStream, signal: AbortSignal): AsyncGenerator<void, void, void> {
    while (!signal.aborted) {
      const room = stream.room();
      const { bytesRead } = await read(this.#descriptor, room, 0, room.length, null);
      if (bytesRead === 0) return;
      this.#bytesRead += bytesRead;
      stream.filled(bytesRead);
      yield;
    }
  }

  /** A socket, because a read of a pipe may wait for ever, and only a socket's can be given up. */
  async *#fillFromPipe(stream: PcapStream, signal: AbortSignal): AsyncGenerator<void, void, void> {
    const socket = new Socket({ fd: this.#descriptor, readable: true, writable: false });
    this.#isOpen = false; // the socket closes it
    const stop = (): void => void socket.destroy();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const data of socket) {
        this.#bytesRead += (data as Uint8Array).length;
        yield* fillWith(stream, data as Uint8Array);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      socket.destroy();
    }
  }
}

/** Put `data` into the stream, piece by piece where it is larger than the room; yields after each piece. */
export function* fillWith(stream: PcapStream, data: Uint8Array): Generator<void, void, void> {
  for (let at = 0; at < data.length;) {
    const room = stream.room();
    const piece = data.subarray(at, at + room.length);
    room.set(piece);
    stream.filled(piece.length);
    at += piece.length;
    yield;
  }
}

function refuseFolder(name: string, stats: Stats): void {
  if (stats.isDirectory()) throw new CaptureError('not-a-capture', `${name} is a folder: give a pcap or pcapng file`);
}

function explainOpen(name: string, error: unknown): CaptureError {
  if (error instanceof CaptureError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CaptureError('not-found', `there is no file ${name}: check the name`);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CaptureError('not-permitted', `${name} may not be read: give this user read access to it`);
  }
  return new CaptureError('capture-failed', `${name} cannot be opened (${message}): give a file or a pipe`);
}
