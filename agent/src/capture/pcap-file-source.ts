/** Packets from a pcap or pcapng file, or from such bytes on standard input, at the pace the caller asks for. */
import { constants, createReadStream, fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { CaptureError } from './capture-error.ts';
import type { CaptureDrops, Chunk, PacketSource } from './packet-source.ts';
import { PcapStream } from './pcap-stream.ts';

export interface PcapFileOptions {
  /** `max`: as fast as it is taken; 1: as recorded; 2: twice as fast. Changes when packets come, never their times. */
  readonly pace?: 'max' | number;
  /** Shift all times so that the first packet has this one, µs since 1970. */
  readonly rebaseToUs?: number;
}

/** Packets due within this many ms are delivered together. */
const paceGrainMs = 20;

/** One file. Owns its file handle; close it with `await using`. */
export class PcapFileSource implements PacketSource {
  readonly name: string;
  readonly #file: FileHandle | undefined;
  readonly #options: PcapFileOptions;
  #shiftUs: number | undefined;
  #firstUs = 0;
  #startedMs = 0;

  private constructor(name: string, file: FileHandle | undefined, options: PcapFileOptions) {
    this.name = name;
    this.#file = file;
    this.#options = options;
  }

  /**
   * Open a file; `-` is standard input.
   * @throws {CaptureError} `not-found` or `not-permitted`
   */
  static async open(path: string, options: PcapFileOptions = {}): Promise<PcapFileSource> {
    if (path === '-') return new PcapFileSource('standard input', undefined, options);
    try {
      const file = await open(path, constants.O_RDONLY);
      if ((await file.stat()).isDirectory()) {
        await file.close();
        throw new CaptureError('not-a-capture', `${path} is a folder: give a pcap or pcapng file`);
      }
      return new PcapFileSource(path, file, options);
    } catch (error) {
      throw explainOpen(path, error);
    }
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk, void, void> {
    const stream = new PcapStream(this.name);
    const read = this.#file === undefined ? readStdin(stream, signal) : readFile(stream, this.#file);
    for await (const _ of read) {
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
    await this.#file?.close();
  }

  #rebase(chunk: Chunk): void {
    if (this.#shiftUs === undefined) {
      const first = chunk.timesUs[0]!;
      this.#shiftUs = this.#options.rebaseToUs === undefined ? 0 : this.#options.rebaseToUs - first;
      this.#firstUs = first + this.#shiftUs;
      this.#startedMs = performance.now();
    }
    if (this.#shiftUs === 0) return;
    for (let row = 0; row < chunk.count; row++) chunk.timesUs[row]! += this.#shiftUs;
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

async function* readFile(stream: PcapStream, file: FileHandle): AsyncGenerator<void, void, void> {
  for (;;) {
    const room = stream.room();
    const { bytesRead } = await file.read(room, 0, room.length, null);
    if (bytesRead === 0) return;
    stream.filled(bytesRead);
    yield;
  }
}

async function* readStdin(stream: PcapStream, signal: AbortSignal): AsyncGenerator<void, void, void> {
  const input = openStdin();
  const stop = (): void => void input.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const data of input) yield* fillWith(stream, data as Uint8Array);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    input.destroy();
  }
}

/** The descriptor itself: in a worker thread `process.stdin` is another stream, and empty. */
function openStdin(): Readable {
  const isFile = fstatSync(0).isFile();
  return isFile ? createReadStream('', { fd: 0, autoClose: false }) : new Socket({ fd: 0, writable: false });
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

function explainOpen(path: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CaptureError('not-found', `there is no file ${path}: check the name`);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CaptureError('not-permitted', `${path} may not be read: give this user read access to it`);
  }
  return error instanceof Error ? error : new Error(String(error));
}
