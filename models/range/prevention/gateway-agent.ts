/** The agent as its owner runs it, `picket-agent run --config FILE`, in the gateway's namespace; and what the kernel holds. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finished } from '../../models/range/namespace.ts';
import type { GuardedNetwork } from './namespaces.ts';
import { type RunningProgram, eventually } from '../../models/range/running-program.ts';

const main = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const command = [process.execPath, '--no-warnings', '--conditions=@picket/source', main];

/** Of a set in the private table. */
export interface KernelElement {
  readonly set: string;
  readonly value: string;
  /** Seconds until the kernel forgets it. */
  readonly expires: number;
  /** Packets that met it. */
  readonly packets: number;
}

export class GatewayAgent {
  readonly #network: GuardedNetwork;
  readonly #configFile: string;
  readonly program: RunningProgram;

  private constructor(network: GuardedNetwork, configFile: string, program: RunningProgram) {
    this.#network = network;
    this.#configFile = configFile;
    this.program = program;
  }

  /** On the LAN side. `config` is laid over what every test needs. */
  static async start(network: GuardedNetwork, config: Readonly<Record<string, unknown>>): Promise<GatewayAgent> {
    const stateDir = join(network.folder, 'agent-state');
    await mkdir(stateDir, { recursive: true });
    const file = join(network.folder, 'agent.yaml');
    const capture = { source: 'live', interface: 'lan0' };
    await writeFile(file, JSON.stringify({ state_dir: stateDir, capture, ...config })); // JSON is YAML
    const program = network.start(network.gateway, [...command, 'run', '--config', file]);
    return new GatewayAgent(network, file, program);
  }

  /** It answers on its own door. Rejects with what it said when it ended instead, or at the deadline. */
  async untilReady(deadlineMs: number): Promise<void> {
    await eventually(
      async () => {
        if (this.program.exitCode !== null) throw new Error(`the agent ended:\n${this.program.output}`);
        return (await this.command('status')).status;
      },
      (status) => status === 0,
      deadlineMs,
    );
  }

  /** Another `picket-agent` command beside it. */
  command(...args: readonly string[]): Promise<Finished> {
    return this.#network.gateway.run([...command, ...args, '--config', this.#configFile]);
  }
}

interface ListedSet {
  readonly set?: { readonly name: string; readonly elem?: readonly unknown[] };
}

/** What the private table holds now; nothing while there is no table. */
export async function kernelElements(network: GuardedNetwork): Promise<readonly KernelElement[]> {
  const { status, stdout } = await network.gateway.run(['nft', '-j', 'list', 'table', 'inet', 'picket']);
  if (status !== 0) return [];
  // nft's own JSON, libnftables-json(5)
  const { nftables } = JSON.parse(stdout) as { readonly nftables: readonly ListedSet[] };
  return nftables.flatMap(({ set }) => (set?.elem ?? []).map((listed) => readElement(set?.name ?? '', listed)));
}

function readElement(set: string, listed: unknown): KernelElement {
  const { elem } = listed as {
    readonly elem?: { readonly val: unknown; readonly expires?: number; readonly counter?: { packets: number } };
  };
  return {
    set,
    value: JSON.stringify(elem?.val ?? listed),
    expires: elem?.expires ?? Number.POSITIVE_INFINITY,
    packets: elem?.counter?.packets ?? 0,
  };
}

/** Those that name an address. */
export async function elementsNaming(network: GuardedNetwork, address: string): Promise<readonly KernelElement[]> {
  return (await kernelElements(network)).filter(({ value }) => value.includes(`"${address}"`));
}
