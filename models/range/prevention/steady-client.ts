/** The honest client of a scenario, and the figure of what defence cost it. */
import { fileURLToPath } from 'node:url';
import { runOwn } from '../attacks/scan-targets.ts';
import type { RunningProgram } from '../running-program.ts';
import { eventually } from '../running-program.ts';
import type { GuardedNetwork } from './guarded-network.ts';
import type { Host } from './hosts.ts';

const client = fileURLToPath(new URL('../programs/steady-client.ts', import.meta.url));
const echo = fileURLToPath(new URL('../programs/echo-server.ts', import.meta.url));
const echoPort = 7007;

/** Of one honest client over one scenario. */
export interface Collateral {
  readonly connections: number;
  /** Those that did not get what they came for. */
  readonly lost: number;
  /** How often the connection that is kept had to be made again. */
  readonly kept_cut: number;
  readonly slowest_ms: number;
  /** At most ten. */
  readonly reasons: readonly string[];
}

/** What the client's kept connection leads to; it listens when this resolves. */
export async function startEcho(network: GuardedNetwork, { namespace }: Host, port = echoPort): Promise<void> {
  const server = network.start(namespace, runOwn(echo, String(port)));
  await server.untilPrinted(/listening/, 60_000);
}

/** Of several times together. */
export function addCollateral(parts: readonly Collateral[]): Collateral {
  const sum = (pick: (part: Collateral) => number): number => parts.reduce((all, part) => all + pick(part), 0);
  return {
    connections: sum((part) => part.connections),
    lost: sum((part) => part.lost),
    kept_cut: sum((part) => part.kept_cut),
    slowest_ms: Math.max(...parts.map((part) => part.slowest_ms)),
    reasons: parts.flatMap((part) => part.reasons).slice(0, 10),
  };
}

export class SteadyClient {
  readonly #program: RunningProgram;

  private constructor(program: RunningProgram) {
    this.#program = program;
  }

  /** Its first visit is over when this resolves. Who has `address` runs a web server and the echo server. */
  static async start(network: GuardedNetwork, address: string): Promise<SteadyClient> {
    const orders = { host: address, port: 80, echoPort, everyMs: 1000, patienceMs: 15_000 };
    const program = network.start(network.bystander.namespace, runOwn(client, JSON.stringify(orders)));
    await program.untilPrinted(/visited|lost/, 60_000);
    return new SteadyClient(program);
  }

  /** After its last visits are over. */
  async stop(): Promise<Collateral> {
    this.#program.signal('SIGTERM');
    const [line] = await this.#program.untilPrinted(/^\{.*\}$/m, 40_000);
    await eventually(
      async () => this.#program.exitCode,
      (code) => code !== null,
      10_000,
    );
    // what the program of ours prints
    const counted = JSON.parse(line) as {
      opened: number;
      lost: number;
      keptCut: number;
      slowestMs: number;
      why: string[];
    };
    return {
      connections: counted.opened,
      lost: counted.lost,
      kept_cut: counted.keptCut,
      slowest_ms: counted.slowestMs,
      reasons: counted.why,
    };
  }
}
