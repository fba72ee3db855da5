/** How far a long capture was read, on standard error: one line that is written over on a terminal, else one a second. */

export interface ProgressState {
  readonly bytesRead: number;
  /** Undefined for a pipe. */
  readonly totalBytes: number | undefined;
  readonly packets: number;
  readonly flows: number;
}

const terminalEveryMs = 250;
const elsewhereEveryMs = 1000;
const clearLine = '\r\u001B[K';

/** Owns a timer; close it with `using`. */
export class ProgressLine implements Disposable {
  readonly #state: () => ProgressState;
  readonly #isTerminal: boolean;
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #isShown = false;

  private constructor(state: () => ProgressState, isTerminal: boolean) {
    this.#state = state;
    this.#isTerminal = isTerminal;
    this.#timer = setInterval(() => this.#show(), isTerminal ? terminalEveryMs : elsewhereEveryMs);
    this.#timer.unref();
  }

  static start(state: () => ProgressState): ProgressLine {
    return new ProgressLine(state, process.stderr.isTTY);
  }

  /** Before anything else is written to the same terminal. */
  hide(): void {
    if (this.#isShown) process.stderr.write(clearLine);
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.hide();
  }

  #show(): void {
    const text = describeProgress(this.#state(), (performance.now() - this.#startedMs) / 1000);
    if (this.#isTerminal) {
      const columns = process.stderr.columns || 80;
      process.stderr.write(`${clearLine}${text.slice(0, columns - 1)}`);
      this.#isShown = true;
    } else {
      process.stderr.write(`${text}\n`);
    }
  }
}

/** Asked for by `--progress`, or nobody said and a person looks at it. `linesTo`: a terminal that fills with lines shows it by itself. */
export function showsProgress(asked: boolean | undefined, linesToTerminal: boolean): boolean {
  return asked ?? (process.stderr.isTTY && !linesToTerminal);
}

/** `seconds`: since the beginning. */
export function describeProgress({ bytesRead, totalBytes, packets, flows }: ProgressState, seconds: number): string {
  const seen = `${whole(packets)} packets, ${whole(flows)} flows, ${whole(packets / Math.max(seconds, 0.001))} packets/s`;
  if (totalBytes === undefined) return `${inMib(bytesRead)} MiB, ${seen}`;
  const percent = Math.floor((100 * bytesRead) / Math.max(1, totalBytes));
  const leftSeconds = bytesRead === 0 ? undefined : (seconds * Math.max(0, totalBytes - bytesRead)) / bytesRead;
  const left = leftSeconds === undefined ? '' : `${duration(leftSeconds)} left, `;
  return `${inMib(bytesRead)} of ${inMib(totalBytes)} MiB (${percent} %), ${left}${seen}`;
}

function inMib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}

function whole(count: number): string {
  return Math.round(count).toLocaleString('en');
}

function duration(seconds: number): string {
  const rounded = Math.round(seconds);
  const [hours, minutes] = [Math.floor(rounded / 3600), Math.floor((rounded % 3600) / 60)];
  const rest = String(rounded % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
