/** The live path alone, tcpdump to flow meter, in a process on the watched host; started and asked from here. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CaptureNetwork } from './capture-network.ts';
import type { LatencyFigures } from './latency-histogram.ts';
import { treeFigures, type TreeFigures } from './process-tree.ts';

export interface MeterFigures {
  readonly received: number;
  readonly dropped_kernel: number;
  readonly dropped_interface: number;
  readonly flows: number;
  readonly reports: number;
  readonly chunks: number;
  /** From a packet's time stamp to the call that decodes it. */
  readonly latency_ms: LatencyFigures;
}

const program = fileURLToPath(new URL('./meter-interface.ts', import.meta.url));
const patienceMs = 60_000;

export class MeteringChild implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  /** Resolves when it captures. */
  static async start(network: CaptureNetwork): Promise<MeteringChild> {
    const child = network.spawn(
      [process.execPath, '--conditions=@picket/source', program],
      ['ignore', 'pipe', 'inherit'],
    );
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    await lines.next();
    return new MeteringChild(child, lines);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Waits until so many packets came or were dropped, or nothing comes any more, and ends it. */
  async finish(packets: number): Promise<{ readonly figures: MeterFigures; readonly tree: TreeFigures }> {
    let figures: MeterFigures | undefined;
    for (const deadline = performance.now() + patienceMs; performance.now() < deadline;) {
      const { value, done } = await this.#lines.next();
      if (done === true) break;
      figures = JSON.parse(value) as MeterFigures;
      if (figures.received + figures.dropped_kernel + figures.dropped_interface >= packets) break;
    }
    if (figures === undefined) throw new Error('the meter said nothing');
    return { figures, tree: treeFigures(this.pid) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
