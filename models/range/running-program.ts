/** A program of ours in a process of its own, with what it prints, for whoever looks at the product from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** For what a program left behind; it may have put something there to stay. */
const afterEndMs = 10_000;

export class RunningProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = '';
  /** It has ended, and everything it printed has been read. */
  #isRead = false;
  readonly #waiting = new Set<() => void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        for (const wake of this.#waiting) wake();
      });
    }
    child.on('close', () => {
      this.#isRead = true;
      for (const wake of this.#waiting) wake();
    });
  }

  /** `command` as at a prompt in the root of the project: in a process group of its own, as a terminal gives it. */
  static start(command: readonly [string, ...string[]], environment: NodeJS.ProcessEnv = {}): RunningProgram {
    const [program, ...args] = command;
    return new RunningProgram(
      spawn(program, args, {
        cwd: root,
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      }),
    );
  }

  get output(): string {
    return this.#output;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Waits until the output matches. Rejects with the output so far at the deadline, or when the program ended before. */
  async untilPrinted(pattern: RegExp, deadlineMs: number): Promise<RegExpExecArray> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      const left = deadline - performance.now();
      if (left <= 0 || this.#isRead) {
        throw new Error(
          `${String(pattern)} was not printed${left > 0 ? ' before the program ended' : ''}; so far:\n${this.#output}`,
        );
      }
      await this.#nextOutput(left);
    }
  }

  /** Sends the signal to the whole group, as Ctrl-C does. */
  signal(name: NodeJS.Signals): void {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    try {
      process.kill(-this.#child.pid, name);
    } catch {
      // it ended by itself in the meantime
    }
  }

  /**
   * Sends the signal to the whole group, as Ctrl-C does, and waits for the end, also of what it started and what prints
   * where it prints: an agent outlives for a moment who started it and was killed. Milliseconds it took.
   */
  async stop(signal: NodeJS.Signals): Promise<number> {
    const started = performance.now();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.signal(signal);
      await ended;
    }
    const deadline = performance.now() + afterEndMs;
    for (let left = afterEndMs; left > 0 && !this.#isRead; left = deadline - performance.now())
      await this.#nextOutput(left);
    return performance.now() - started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGTERM');
  }

  async #nextOutput(deadlineMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(wake, deadlineMs);
      const waiting = this.#waiting;
      function wake(): void {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve();
      }
      waiting.add(wake);
    });
  }
}

/** Asks again and again until the answer is right, or the deadline is over. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  deadlineMs: number,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`not so within ${deadlineMs} ms; last answer: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
