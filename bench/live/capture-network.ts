/** Two hosts and a cable, out of network namespaces: one sends a capture with tcpreplay, the other one is watched. */
import { randomUUID } from 'node:crypto';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from '../../models/range/link.ts';
import { Namespace } from '../../models/range/namespace.ts';

/** The watched interface. */
export const watched = 'lan0';

export interface Sent {
  readonly packets: number;
  readonly seconds: number;
  /** Milliseconds since 1970 when the first packet left. */
  readonly startedAtMs: number;
}

export class CaptureNetwork implements AsyncDisposable {
  readonly #sender: Namespace;
  readonly #watcher: Namespace;
  readonly #resources: AsyncDisposableStack;

  private constructor(sender: Namespace, watcher: Namespace, resources: AsyncDisposableStack) {
    this.#sender = sender;
    this.#watcher = watcher;
    this.#resources = resources;
  }

  /** Needs root. */
  static async open(): Promise<CaptureNetwork> {
    await using building = new AsyncDisposableStack();
    const id = randomUUID().slice(0, 6);
    const sender = building.use(await Namespace.create(`${id}-sender`));
    const watcher = building.use(await Namespace.create(`${id}-watched`));
    await connect(
      { namespace: sender, device: 'eth0', megabitsPerSecond: null },
      { namespace: watcher, device: watched, megabitsPerSecond: null },
    );
    // Nothing but the replayed packets is to be counted.
    await sender.sysctl('net.ipv6.conf.eth0.disable_ipv6', 1);
    await watcher.sysctl(`net.ipv6.conf.${watched}.disable_ipv6`, 1);
    return new CaptureNetwork(sender, watcher, building.move());
  }

  /** A program on the watched host. */
  spawn(argv: readonly string[], stdio: 'inherit' | 'ignore' | ['ignore', 'pipe', 'inherit']): ChildProcess {
    const [program = '', ...args] = this.#watcher.inside(argv);
    return spawn(program, args, { stdio });
  }

  /** `rate`: packets per second, or as fast as the sender can. Rejects with what tcpreplay says. */
  async replay(file: string, rate: number | 'top'): Promise<Sent> {
    const pace = rate === 'top' ? ['--topspeed'] : [`--pps=${rate}`];
    const [program = '', ...args] = this.#sender.inside([
      'tcpreplay',
      '-q',
      '-i',
      'eth0',
      '--preload-pcap',
      ...pace,
      file,
    ]);
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let sentAtMs = 0; // the sender still has to free what it read ahead, before it ends
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (sentAtMs === 0 && said.includes('Actual:')) sentAtMs = Date.now();
      });
    await once(child, 'close');
    const [, packets, seconds] = /Actual: (\d+) packets .* sent in ([\d.]+) seconds/.exec(said) ?? [];
    if (packets === undefined || Number(/Failed packets:\s+(\d+)/.exec(said)?.[1] ?? 0) > 0) throw new Error(said);
    return { packets: Number(packets), seconds: Number(seconds), startedAtMs: sentAtMs - Number(seconds) * 1000 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
