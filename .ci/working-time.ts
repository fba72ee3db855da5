/**
 * A clock that runs while this process does, for tests of what is promised within seconds: where the whole machine stands
 * still, or gives this process no time, nobody could have kept the promise, and none is broken.
 */
const tickMs = 50;

export class WorkingTime implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #ms = 0;
  #lookedMs = performance.now();
  #computedMs = computedMs();

  private constructor() {
    this.#timer = setInterval(() => this.#look(), tickMs);
  }

  static start(): WorkingTime {
    return new WorkingTime();
  }

  /** Since the start. What this process computed counts in full, also where it kept its own timers from running. */
  get ms(): number {
    this.#look();
    return this.#ms;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const [nowMs, nowComputedMs] = [performance.now(), computedMs()];
    this.#ms += Math.min(nowMs - this.#lookedMs, 2 * tickMs + nowComputedMs - this.#computedMs);
    [this.#lookedMs, this.#computedMs] = [nowMs, nowComputedMs];
  }
}

function computedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
