/**
 * Tells when addresses, links or routes of this host change, so that the guard knows them within a moment: one
 * `ip monitor` beside the agent. Needs no rights. Where it cannot run, looking now and then has to do.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { endsWithUs, systemEnvironment } from './system-program.ts';

export interface NetworkWatchOptions {
  /** How ip is called; something like `ip netns exec NAME ip` for another network namespace. */
  readonly ip?: readonly string[];
  /** Never called again before it has resolved; what changes meanwhile is one more call. */
  readonly onChange: () => Promise<void>;
  /** Once, where changes cannot be heard. */
  readonly onWarning: (text: string) => void;
}

/** An interface that comes up is a dozen lines. */
const gatherMs = 200;
const firstBackoffMs = 1000;
const maxBackoffMs = 60_000;

export class NetworkWatch implements AsyncDisposable {
  readonly #options: NetworkWatchOptions;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #telling: Promise<void> | undefined;
  #isChanged = false;

  private constructor(options: NetworkWatchOptions) {
    this.#options = options;
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
    let hasWarned = false;
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      const problem = await this.#listen();
      if (signal.aborted) return;
      if (!hasWarned) this.#options.onWarning(`changes of the network are only seen every half a minute: ${problem}`);
      hasWarned = true;
      await setTimeout(backoffMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      this.#change(); // whatever happened while nobody listened
    }
  }

  /** Until the program ends; resolves with why. */
  async #listen(): Promise<string> {
    const [program = '', ...args] = endsWithUs([
      ...(this.#options.ip ?? ['ip']),
      'monitor',
      'link',
      'address',
      'route',
    ]);
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: systemEnvironment(),
      signal: this.#stopped.signal,
    });
    child.stdout.on('data', () => this.#change());
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
      await setTimeout(gatherMs, undefined, { signal, ref: false }).catch(() => undefined);
      this.#isChanged = false;
      if (!signal.aborted) await this.#options.onChange();
    }
    this.#telling = undefined;
  }
}
