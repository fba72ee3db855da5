/** Ctrl-C in the middle of a capture: what was read is finished and written, and the exit code says that it was not all. */

const signals = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof signals;

/** From the first signal on, the next one ends the process as it does by default. Close it with `using`. */
export class StopSignals implements Disposable {
  readonly #stop: () => void;
  #came: StopSignal | undefined;
  readonly #onSignal = (name: StopSignal): void => {
    this.#came = name;
    this.stepAside(true);
    this.#stop();
  };

  private constructor(stop: () => void) {
    this.#stop = stop;
  }

  /** `stop` is called at the first signal. */
  static watch(stop: () => void): StopSignals {
    const watched = new StopSignals(stop);
    watched.stepAside(false);
    return watched;
  }

  /** Let signals do what they do by default, or (false) watch for them again if none came. */
  stepAside(aside: boolean): void {
    for (const name of Object.keys(signals)) {
      process.off(name, this.#onSignal);
      if (!aside && this.#came === undefined) process.on(name, this.#onSignal);
    }
  }

  /** Said by whoever ends in good order: 128 and the signal's number, as a shell has it. */
  setExitCode(): void {
    if (this.#came !== undefined) process.exitCode = signals[this.#came];
  }

  [Symbol.dispose](): void {
    this.stepAside(true);
  }
}
