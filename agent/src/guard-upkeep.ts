/**
 * Keeps the guard what the network is now: read again when something changes that somebody tells of, and every half a
 * minute, for resolvers, time servers and the addresses of the controller's name change with nobody saying so.
 */
import type { Logger } from 'pino';
import type { Guard } from './enforcement/guard.ts';
import { NetworkWatch } from './enforcement/network-watch.ts';
import { isOtherNextHop } from './gateway-guard.ts';

export interface GuardUpkeepOptions {
  readonly read: () => Promise<Guard>;
  /** Rejects where it is none: then the one before stays. */
  readonly use: (guard: Guard) => Promise<void>;
  /** What holds now. */
  readonly current: () => Guard;
  /** Whether the network of this host is the one that is watched. */
  readonly isLive: boolean;
  readonly log: Pick<Logger, 'warn'>;
}

const everyMs = 30_000;

export class GuardUpkeep implements AsyncDisposable {
  readonly #options: GuardUpkeepOptions;
  readonly #resources = new AsyncDisposableStack();
  #refreshed = Promise.resolve();

  private constructor(options: GuardUpkeepOptions) {
    this.#options = options;
  }

  static start(options: GuardUpkeepOptions): GuardUpkeep {
    const upkeep = new GuardUpkeep(options);
    const timer = setInterval(() => void upkeep.#refresh(), everyMs);
    upkeep.#resources.defer(() => clearInterval(timer));
    if (options.isLive) upkeep.#listen();
    return upkeep;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
    await this.#refreshed;
  }

  #listen(): void {
    const { log, current } = this.#options;
    const told = { onChange: () => this.#refresh(), onWarning: (text: string) => log.warn(text) };
    this.#resources.use(NetworkWatch.start(told));
    this.#resources.use(NetworkWatch.start({ ...told, isNews: (neighbour) => isOtherNextHop(current(), neighbour) }));
  }

  /** One after the other, so that what was read later is what counts. */
  #refresh(): Promise<void> {
    this.#refreshed = this.#refreshed.then(async () => {
      const { read, use, log } = this.#options;
      try {
        await use(await read());
      } catch (error) {
        log.warn(`the guard stays as it was: ${(error as Error).message}`);
      }
    });
    return this.#refreshed;
  }
}
