/** tcpdump on one interface of the gateway, for as long as it is needed. */
import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type Namespace, stop } from './namespace.ts';

/** Bytes kept of each packet: the headers, with room for IPv6 and options. */
const snapLength = 128;

export class Recording implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #file: string;
  /** What tcpdump has said so far. */
  readonly #said: () => string;

  private constructor(child: ChildProcess, file: string, said: () => string) {
    this.#said = said;
    this.#child = child;
    this.#file = file;
  }

  /** Listening when this returns. The file has its name only when the recording is complete. */
  static async start(gateway: Namespace, device: string, file: string): Promise<Recording> {
    const argv = [
      'tcpdump',
      '-i',
      device,
      '-n',
      '-U',
      '-Z',
      'root',
      '-B',
      '16384',
      '-s',
      String(snapLength),
      '-w',
      `${file}.part`,
    ];
    const child = gateway.spawn(argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
    for (const deadline = Date.now() + 60_000; !said.includes('listening on'); await pause(50)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`tcpdump did not start: ${said.trim()}`);
    }
    return new Recording(child, file, () => said);
  }

  /** End it well: the file is whole and has its name. Returns how many packets the machine was too busy to keep. */
  async finish(): Promise<number> {
    const gone = this.#child.exitCode === null ? once(this.#child, 'close') : undefined;
    await stop(this.#child, 'SIGINT', 10_000);
    await gone;
    await rename(`${this.#file}.part`, this.#file);
    return Number(/(\d+) packets? dropped by kernel/.exec(this.#said())?.[1] ?? 0);
  }

  /** A recording that was not finished is nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#child, 'SIGINT', 10_000);
    await rm(`${this.#file}.part`, { force: true });
  }
}
