/** What is so, told to the controller: one message at a time, and of what changed meanwhile only the latest. */
import type { Reported } from '@picket/shared/contract/twin';

export class DesiredReport {
  readonly #send: (reported: Reported) => Promise<void>;
  readonly #read: () => Reported;
  #sending = false;
  #changed = false;

  constructor(read: () => Reported, send: (reported: Reported) => Promise<void>) {
    this.#read = read;
    this.#send = send;
  }

  /** Returns at once. What cannot be sent is told again at the next connection. */
  tell(): void {
    this.#changed = true;
    if (this.#sending) return;
    this.#sending = true;
    void (async () => {
      while (this.#changed) {
        this.#changed = false;
        await this.#send(this.#read()).catch(() => {});
      }
      this.#sending = false;
    })();
  }
}
