/**
 * Packets of a network interface, through a tcpdump child: only the child needs the right to capture, and its kernel
 * ring rides out the moments in which we are not scheduled.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { CaptureError } from './capture-error.ts';
import type { CaptureDrops, Chunk, PacketSource } from './packet-source.ts';
import { fillWith } from './capture-input.ts';
import { PcapStream } from './pcap-stream.ts';
import { type CaptureChild, type CaptureRequest, interfacePattern, startTcpdump } from './tcpdump-child.ts';
import { TcpdumpReport } from './tcpdump-report.ts';

export interface TcpdumpOptions extends CaptureRequest {
  /** Told in one line when the capture had to be started again. */
  readonly onWarning?: (text: string) => void;
  /** Who starts tcpdump. Default: this process, which needs the right to capture then. */
  readonly start?: (request: CaptureRequest) => CaptureChild;
}

const firstBackoffMs = 500;
const maxBackoffMs = 30_000;
/** A child that lived this long starts the back-off afresh. */
const healthyMs = 60_000;
const countIntervalMs = 5000;

/** One interface. Owns the child process; close it with `await using`. */
export class TcpdumpPacketSource implements PacketSource {
  readonly name: string;
  readonly #options: TcpdumpOptions;
  readonly #report = new TcpdumpReport();
  readonly #start: (request: CaptureRequest) => CaptureChild;
  #child: CaptureChild;
  #restarts = 0;
  #closed = false;

  private constructor(options: TcpdumpOptions, start: (request: CaptureRequest) => CaptureChild, child: CaptureChild) {
    this.name = options.interface;
    this.#options = options;
    this.#start = start;
    this.#child = child;
    this.#report.follow(child.stderr);
  }

  /**
   * Start capturing; resolves once tcpdump listens.
   * @throws {CaptureError} `tool-missing`, `not-permitted`, `not-found` (interface) or `capture-failed` (filter, …)
   */
  static async open(options: TcpdumpOptions): Promise<TcpdumpPacketSource> {
    if (!interfacePattern.test(options.interface)) {
      throw new CaptureError(
        'not-found',
        `capture.interface: ${JSON.stringify(options.interface)} cannot be an interface; \`ip -br link\` lists them`,
      );
    }
    const { start = startTcpdump } = options;
    const source = new TcpdumpPacketSource(options, start, start(options));
    try {
      await source.#listening();
      return source;
    } catch (error) {
      await source[Symbol.asyncDispose]();
      throw error;
    }
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk, void, void> {
    const stop = (): void => this.#child.stop();
    signal.addEventListener('abort', stop);
    const counting = setInterval(() => this.#child.count(), countIntervalMs);
    let backoffMs = firstBackoffMs;
    try {
      while (!signal.aborted) {
        const startedMs = performance.now();
        yield* this.#read(signal);
        if (signal.aborted) return;
        if (performance.now() - startedMs > healthyMs) backoffMs = firstBackoffMs;
        await this.#restart(backoffMs, signal);
        backoffMs = Math.min(backoffMs * 2, maxBackoffMs);
      }
    } finally {
      clearInterval(counting);
      signal.removeEventListener('abort', stop);
    }
  }

  drops(): CaptureDrops {
    return { kernel: this.#report.kernelDrops, interface: this.#report.interfaceDrops, restarts: this.#restarts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    child.stdout.resume(); // a child that is blocked on a full pipe would not see the signal's effect
    child.stop();
    await child.ended.catch(() => undefined);
  }

  /** Everything the present child has to say, until it ends. */
  async *#read(signal: AbortSignal): AsyncGenerator<Chunk, void, void> {
    const stream = new PcapStream(this.name);
    try {
      for await (const data of this.#child.stdout) {
        for (const _ of fillWith(stream, data as Uint8Array)) {
          for (let chunk = stream.next(); chunk !== undefined; chunk = stream.next()) {
            if (signal.aborted) return;
            yield chunk;
          }
        }
      }
    } catch (error) {
      // Not what tcpdump writes: begin again with another child, counted like any other end of it.
      if (!(error instanceof CaptureError)) throw error;
      this.#child.stop();
    }
  }

  async #restart(backoffMs: number, signal: AbortSignal): Promise<void> {
    this.#restarts++;
    this.#options.onWarning?.(
      `tcpdump on ${this.name} ended (${this.#report.lastLine}); starting it again in ${backoffMs / 1000} s`,
    );
    try {
      await wait(backoffMs, undefined, { signal });
    } catch {
      return;
    }
    if (this.#closed) return;
    this.#report.newChild();
    this.#child = this.#start(this.#options);
    this.#report.follow(this.#child.stderr);
  }

  async #listening(): Promise<void> {
    const failed = this.#child.ended.then(
      () => Promise.reject(explainExit(this.name, this.#report.lastLine)),
      (error: unknown) => Promise.reject(explainSpawn(error as Error)),
    );
    await Promise.race([this.#report.listening, failed]);
  }
}

function explainSpawn(error: Error): CaptureError {
  if (error instanceof CaptureError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return missing();
  if (code === 'EACCES' || code === 'EPERM') {
    return new CaptureError(
      'not-permitted',
      'tcpdump may not be run by this user: check the permissions of the program',
    );
  }
  return new CaptureError('capture-failed', `tcpdump could not be started: ${error.message}`);
}

function missing(): CaptureError {
  return new CaptureError('tool-missing', 'tcpdump is not installed: apt-get install tcpdump, or replay a file');
}

function explainExit(name: string, said: string): CaptureError {
  if (/failed to execute .*No such file/.test(said)) return missing();
  if (/permission|not permitted/i.test(said)) {
    return new CaptureError(
      'not-permitted',
      `capturing on ${name} is not permitted: run as root, or \`setcap cap_net_raw+ep $(command -v tcpdump)\``,
    );
  }
  if (/no such device|doesn't exist/i.test(said)) {
    return new CaptureError('not-found', `there is no interface ${name}: \`ip -br link\` lists them`);
  }
  return new CaptureError('capture-failed', `tcpdump does not capture on ${name}: ${said}`);
}
