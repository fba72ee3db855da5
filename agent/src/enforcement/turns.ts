/** One task after the other, in the order in which they came; one that fails stops none behind it. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Tasks that are not done, the one that runs included. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when all that came so far are done. */
  async idle(): Promise<void> {
    await this.#last;
  }

  take<Result>(task: () => Result | Promise<Result>): Promise<Result> {
    this.#waiting += 1;
    const result = this.#last.then(task).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = result.catch(() => undefined);
    return result;
  }
}
