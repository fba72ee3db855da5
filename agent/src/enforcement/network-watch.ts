/**
 * Tells when addresses, links or routes of this host change, or a neighbour that matters has another MAC, so that the
 * guard knows it within a moment: `ip monitor` beside the agent. Needs no rights. Where it cannot run, looking now and
 * then has to do.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { ChangePace } from './change-pace.ts';
import type { Neighbour } from './system-guard.ts';
import { endsWithUs, systemEnvironment } from './system-program.ts';

export interface NetworkWatchOptions {
  /** How ip is called; something like `ip netns exec NAME ip` for another network namespace. */
  readonly ip?: readonly string[];
  /**
   * Neighbours instead: whether this one is news. A program of its own, for anybody on the link can make many of them, and
   * what the others tell is not to be lost among these.
   */
  readonly isNews?: (neighbour: Neighbour) => boolean;
  /** Never called again before it has resolved; what changes meanwhile is one more call. */
  readonly onChange: () => Promise<void>;
  /** Once, where changes cannot be heard. */
  readonly onWarning: (text: string) => void;
  /** How soon it is told. */
  readonly pace?: Pick<ChangePace, 'next'>;
}

const firstBackoffMs = 1000;
const maxBackoffMs = 60_000;

export class NetworkWatch implements AsyncDisposable {
  readonly #options: NetworkWatchOptions;
  readonly #stopped = new AbortController();
  readonly #pace: Pick<ChangePace, 'next'>;
  #running: Promise<void> = Promise.resolve();
  #telling: Promise<void> | undefined;
  #isChanged = false;

  private constructor(options: NetworkWatchOptions) {
    this.#options = options;
    this.#pace = options.pace ?? new ChangePace();
  }

  static start(options: NetworkWatchOptions): NetworkWatch {
    const watch = new NetworkWatch(options);
    watch.#running = watch.#keepRunning();
    return watch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await this.#telling;
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopped;
    const what = this.#options.isNews === undefined ? 'changes of the network' : 'other MACs of next hops';
    let hasWarned = false;
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      const problem = await this.#listen();
      if (signal.aborted) return;
      if (!hasWarned) this.#options.onWarning(`${what} are only seen every half a minute: ${problem}`);
      hasWarned = true;
      await setTimeout(backoffMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      this.#change(); // whatever happened while nobody listened
    }
  }

  /** Until the program ends; resolves with why. */
  async #listen(): Promise<string> {
    const { ip = ['ip'], isNews } = this.#options;
    const objects = isNews === undefined ? ['link', 'address', 'route'] : ['neigh'];
    const [program = '', ...args] = endsWithUs([...ip, 'monitor', ...objects]);
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: systemEnvironment(),
      signal: this.#stopped.signal,
    });
    if (isNews === undefined) child.stdout.on('data', () => this.#change());
    else hearNeighbours(child.stdout, (neighbour) => isNews(neighbour) && this.#change());
    try {
      await once(child, 'close');
      return 'ip monitor ended';
    } catch (error) {
      return `ip monitor: ${(error as Error).message}; apt install iproute2`;
    }
  }

  #change(): void {
    this.#isChanged = true;
    this.#telling ??= this.#tell();
  }

  async #tell(): Promise<void> {
    const { signal } = this.#stopped;
    while (this.#isChanged && !signal.aborted) {
      await setTimeout(this.#pace.next(), undefined, { signal, ref: false }).catch(() => undefined);
      this.#isChanged = false;
      if (!signal.aborted) await this.#options.onChange();
    }
    this.#telling = undefined;
  }
}

/** Longer than any line of it. */
const maxLine = 4096;

/** `192.0.2.1 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE`; what is gone has none, or is said to be deleted. */
function hearNeighbours(stream: Readable, tell: (neighbour: Neighbour) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!.slice(0, maxLine);
    for (const line of lines) {
      const [, address, link, mac] = /^(\S+) dev (\S+) lladdr (\S+) /.exec(line) ?? [];
      if (address !== undefined && link !== undefined && mac !== undefined) tell({ address, link, mac });
    }
  });
}
