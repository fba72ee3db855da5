/**
 * Hostile input by the million: cases of damaged packets and damaged files, each through the real stages and past every
 * oracle. A case depends on the seed and its own number alone, so that one case can be run again.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FuzzCases, type FuzzTally } from './fuzz-cases.ts';
import { OracleFailure } from './oracle.ts';
import { SeededRandom } from './seeded-random.ts';

export type CaseKind = 'packets' | 'file';

export interface FuzzOptions {
  readonly seed: number;
  /** Mutated packets to reach; 0: none. */
  readonly packets: number;
  /** Mutated files to reach. */
  readonly files: number;
  /** Stop earlier after so many ms. */
  readonly budgetMs?: number;
  /** Run this case alone. */
  readonly only?: { readonly kind: CaseKind; readonly index: number };
}

export interface FuzzFailure {
  /** For `--case`: its kind and number. */
  readonly case: string;
  readonly oracle: string;
  readonly message: string;
}

export interface FuzzReport extends FuzzTally {
  readonly seed: number;
  readonly slowestCaseMs: number;
  readonly slowestCase: string;
  /** Heap and buffers after the run over those after its first tenth, bytes. */
  readonly grownBytes: number;
  readonly failures: readonly FuzzFailure[];
}

const maxFailures = 20;
/** Generous, for a busy machine: such a case takes milliseconds. */
export const caseDeadlineMs = 20_000;
const mayGrowBytes = 24 * 1_048_576;

export class FuzzRun {
  readonly #options: FuzzOptions;
  readonly #cases = new FuzzCases();
  readonly #failures: FuzzFailure[] = [];
  #slowestCaseMs = 0;
  #slowestCase = '';

  constructor(options: FuzzOptions) {
    this.#options = options;
  }

  /** `onCase` hears of every case before it is run. */
  run(onCase: (name: string, done: () => FuzzReport) => void = () => undefined): FuzzReport {
    const { only, budgetMs = Infinity } = this.#options;
    const startedMs = performance.now();
    let settledBytes: number | undefined;
    const next = (kind: CaseKind, index: number): void => {
      onCase(`${kind}:${index}`, () => this.#report(0));
      this.#runCase(kind, index);
    };
    if (only !== undefined) {
      next(only.kind, only.index);
      return this.#report(0);
    }
    while (this.#share() < 1) {
      if (performance.now() - startedMs > budgetMs || this.#failures.length >= maxFailures) break;
      const { conversations, fileCases } = this.#cases.tally;
      if (this.#arePacketsBehind()) next('packets', conversations);
      else next('file', fileCases);
      if (settledBytes === undefined && Math.max(this.#share(), (performance.now() - startedMs) / budgetMs) > 0.1) {
        settledBytes = heldBytes();
      }
    }
    const grownBytes = settledBytes === undefined ? 0 : Math.max(0, heldBytes() - settledBytes);
    if (grownBytes > mayGrowBytes) this.#fail('run', 'memory-bounded', `grew by ${grownBytes} bytes`);
    return this.#report(grownBytes);
  }

  /** Of the whole, 0 to 1. */
  #share(): number {
    return Math.min(...this.#shares());
  }

  #arePacketsBehind(): boolean {
    const [packets, files] = this.#shares();
    return packets <= files && packets < 1;
  }

  #shares(): [packets: number, files: number] {
    const { tally } = this.#cases;
    const { packets, files } = this.#options;
    return [packets === 0 ? 1 : tally.packets / packets, files === 0 ? 1 : tally.files / files];
  }

  #runCase(kind: CaseKind, index: number): void {
    const startedMs = performance.now();
    const random = new SeededRandom(this.#options.seed, index * 2 + (kind === 'file' ? 1 : 0));
    const name = `${kind}:${index}`;
    try {
      if (kind === 'packets') this.#cases.packetCase(random);
      else this.#cases.fileCase(random);
    } catch (error) {
      const oracle = error instanceof OracleFailure ? error.oracle : 'no-throw';
      this.#fail(
        name,
        oracle,
        error instanceof OracleFailure ? error.message : String((error as Error).stack ?? error),
      );
    }
    const tookMs = performance.now() - startedMs;
    if (tookMs > caseDeadlineMs) this.#fail(name, 'time-bounded', `took ${Math.round(tookMs)} ms`);
    if (tookMs <= this.#slowestCaseMs) return;
    this.#slowestCaseMs = tookMs;
    this.#slowestCase = name;
  }

  #fail(name: string, oracle: string, message: string): void {
    this.#failures.push({ case: name, oracle, message: message.slice(0, 1500) });
  }

  #report(grownBytes: number): FuzzReport {
    return {
      seed: this.#options.seed,
      ...this.#cases.tally,
      slowestCaseMs: Math.round(this.#slowestCaseMs),
      slowestCase: this.#slowestCase,
      grownBytes,
      failures: [...this.#failures],
    };
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heldBytes(): number {
  // Buffers are swept beside the collector and are gone by the next turn.
  for (let turn = 0; turn < 4; turn++) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
