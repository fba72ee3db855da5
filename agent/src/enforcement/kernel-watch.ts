/**
 * Hears from the kernel that something of our tables was taken away (`nft flush ruleset` by somebody, a deleted table
 * or element), so that it is back in a moment and not at the next look. An element that ran out is not announced.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { FirewallWatch } from './firewall.ts';
import { endsWithUs, systemEnvironment } from './system-program.ts';

export interface KernelWatchOptions {
  /** How nft is called. */
  readonly nft: readonly string[];
  readonly onChanged: () => void;
}

const firstBackoffMs = 100;
/** As often as the kernel is read back anyway. */
const maxBackoffMs = 10_000;
const healthyMs = 60_000;
/** Lines of ours are short; what is longer belongs to somebody else's tables. */
const maxLineCharacters = 4096;

/** Owns an `nft monitor`, and starts it again when it ends. Where it cannot run, looking now and then has to do. */
export class KernelWatch implements FirewallWatch {
  readonly #options: KernelWatchOptions;
  #child: ChildProcess | undefined;
  #retry: NodeJS.Timeout | undefined;
  #backoffMs = firstBackoffMs;
  #restarts = 0;
  #isClosed = false;

  private constructor(options: KernelWatchOptions) {
    this.#options = options;
  }

  static start(options: KernelWatchOptions): KernelWatch {
    const watch = new KernelWatch(options);
    watch.#start();
    return watch;
  }

  get restarts(): number {
    return this.#restarts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('close', () => resolve());
    child.kill();
    await promise;
  }

  #start(): void {
    const [program = '', ...args] = endsWithUs([...this.#options.nft, 'monitor', 'destroy']);
    const startedMs = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: systemEnvironment() });
    this.#child = child;
    let rest = '';
    const read = (text: string): void => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(0, maxLineCharacters);
      if (lines.some((line) => ours.test(line))) this.#options.onChanged();
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('error', () => this.#startAgain());
    child.once('close', () => {
      if (performance.now() - startedMs > healthyMs) this.#backoffMs = firstBackoffMs;
      this.#startAgain();
    });
  }

  #startAgain(): void {
    if (this.#isClosed || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#restarts += 1;
      this.#start();
      this.#options.onChanged(); // whatever happened meanwhile was not heard
    }, this.#backoffMs);
    this.#retry.unref();
    this.#backoffMs = Math.min(this.#backoffMs * 2, maxBackoffMs);
  }
}

/** A line about our tables, or one that says that lines were lost. */
const ours = /^(?:delete|destroy|flush) \w+ (?:inet|bridge) picket(?:\s|$)|lost some netlink events/i;
