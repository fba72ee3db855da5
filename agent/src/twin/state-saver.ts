/** Writes down what became of a policy as soon as the disk takes it. What is not on disk holds all the same, and is counted. */
import type { Logger } from 'pino';
import { abortableDelay } from './abortable-delay.ts';
import type { ReportedState } from './reported-state.ts';
import { textOfError } from './text-of-error.ts';

export interface StateSaverOptions {
  /** Owned by the caller, and open for longer than the saver. */
  readonly state: ReportedState;
  /** It is on disk now; not called where it was from the start. */
  readonly onSaved: () => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** First wait; doubled up to ten seconds. */
  readonly retryMs: number;
}

/** Between two looks whether a full disk has room again. */
export const longestSavePauseMs = 10_000;

export class StateSaver implements AsyncDisposable {
  readonly #options: StateSaverOptions;
  readonly #stop = new AbortController();
  #saving: Promise<void> | undefined;

  constructor(options: StateSaverOptions) {
    this.#options = options;
  }

  /** To be called after each change; returns at once. */
  saveInTime(): void {
    if (!this.#options.state.isBehind) return;
    this.#saving ??= this.#saveUntilWritten().finally(() => {
      this.#saving = undefined;
    });
  }

  /** Tries once more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#saving;
  }

  async #saveUntilWritten(): Promise<void> {
    const { state, log, onSaved } = this.#options;
    let wait = this.#options.retryMs;
    let told: string | undefined;
    for (;;) {
      try {
        state.save();
        log.info({}, 'what became of the policy is on disk');
        return onSaved();
      } catch (error) {
        const reason = textOfError(error);
        if (reason !== told)
          log.warn(
            { unsaved: state.unsaved, reason },
            `what became of the policy cannot be written down${state.unsaved === 0 ? ' but in the place that was kept for it' : ' and would not survive a restart'}, tried again every few seconds: free space on the disk`,
          );
        told = reason;
      }
      if (this.#stop.signal.aborted) return;
      await abortableDelay(wait, this.#stop.signal);
      wait = Math.min(longestSavePauseMs, wait * 2);
    }
  }
}
