/** The agent as its owner runs it, `picket-agent run --config FILE`, in the gateway's namespace; and its local door. */
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finished, Namespace } from '../namespace.ts';
import { type RunningProgram, eventually } from '../running-program.ts';
import type { GuardedNetwork } from './guarded-network.ts';

const main = fileURLToPath(new URL('../../../agent/src/main.ts', import.meta.url));
/** `picket-agent` of some other folder, as an argument list. */
export const agentCommandOf = (file: string): readonly string[] => [
  process.execPath,
  '--no-warnings',
  '--conditions=@picket/source',
  file,
];
/** `picket-agent`, as an argument list. */
export const agentCommand = agentCommandOf(main);

/** As `decisions list --json` shows it; more members are there. */
export interface HeldDecision {
  readonly decision: {
    readonly id: string;
    readonly origin: string;
    readonly action: string;
    readonly scope: string;
    readonly value: string;
    readonly mode: string;
    readonly scenario: string;
    readonly created_at: string;
    readonly expires_at: string;
  };
  readonly in_kernel: boolean;
}

export interface AgentOptions {
  /** Where it runs; default: the gateway of the network. */
  readonly namespace?: Namespace;
  /** Of its folder, where there is more than one agent. */
  readonly name?: string;
  /** Put before the command line: `faketime`, say. */
  readonly wrapper?: readonly string[];
}

/** What is asked for by hand; the rest has defaults. */
export interface RequestByHand {
  readonly scope: string;
  readonly value: string;
  readonly direction?: string;
  readonly action?: string;
  readonly duration_seconds?: number;
}

export class GatewayAgent {
  readonly stateDir: string;
  readonly #network: GuardedNetwork;
  readonly #namespace: Namespace;
  readonly #configFile: string;
  #program: RunningProgram;

  private constructor(
    network: GuardedNetwork,
    namespace: Namespace,
    configFile: string,
    stateDir: string,
    program: RunningProgram,
  ) {
    this.#network = network;
    this.#namespace = namespace;
    this.#configFile = configFile;
    this.stateDir = stateDir;
    this.#program = program;
  }

  /** On the LAN side. `config` is laid over what every scenario needs. */
  static async start(
    network: GuardedNetwork,
    config: Readonly<Record<string, unknown>>,
    { namespace = network.gateway, name = 'agent', wrapper = [] }: AgentOptions = {},
  ): Promise<GatewayAgent> {
    const stateDir = stateDirOf(network, name);
    await mkdir(stateDir, { recursive: true });
    const file = join(network.folder, `${name}.yaml`);
    const capture = { source: 'live', interface: 'lan0', ring_kib: 4096 };
    await writeFile(file, JSON.stringify({ state_dir: stateDir, capture, ...config })); // JSON is YAML
    const program = network.start(namespace, [...wrapper, ...agentCommand, 'run', '--config', file]);
    return new GatewayAgent(network, namespace, file, stateDir, program);
  }

  /** The one that runs now. */
  get program(): RunningProgram {
    return this.#program;
  }

  /** The same configuration and state again, after `program` was stopped. `command` is another build of `picket-agent`. */
  startAgain({
    wrapper = [],
    command = agentCommand,
  }: { readonly wrapper?: readonly string[]; readonly command?: readonly string[] } = {}): void {
    const words = [...wrapper, ...command, 'run', '--config', this.#configFile];
    this.#program = this.#network.start(this.#namespace, words);
  }

  /** It answers on its own door. Rejects with what it said when it ended instead, or at the deadline. */
  async untilReady(deadlineMs: number): Promise<void> {
    const { program } = this;
    await eventually(
      async () => {
        if (program.exitCode !== null) throw new Error(`the agent ended:\n${program.output}`);
        return this.ask('GET', '/status').then(
          () => undefined,
          (error: Error) => `${error.message}; it said so far:\n${program.output}`,
        );
      },
      (problem) => problem === undefined,
      deadlineMs,
    );
  }

  /** Another `picket-agent` command beside it. */
  command(...args: readonly string[]): Promise<Finished> {
    return this.#namespace.run([...agentCommand, ...args, '--config', this.#configFile], 120_000);
  }

  /** Asks at its door, as the command line does. Rejects where it answers with an error, or not at all. */
  async ask(method: string, path: string, body?: object): Promise<unknown> {
    const socketPath = join(this.stateDir, 'agent.sock');
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const call = request({ socketPath, method, path, timeout: 60_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 500, text }));
      });
      call.on('timeout', () => call.destroy(new Error('the agent did not answer within 60 s')));
      call.on('error', reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
    if (status >= 400) throw new Error(`the agent answered ${status}: ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }

  async decisions(): Promise<readonly HeldDecision[]> {
    return (await this.ask('GET', '/decisions')) as HeldDecision[];
  }

  /** What became of it: `verified`, `refused`, … and why. */
  async add(wanted: RequestByHand): Promise<{ readonly state: string; readonly detail: string | null }> {
    const defaults = { direction: 'both', action: 'block', duration_seconds: 600, reason: 'by hand' };
    return (await this.ask('POST', '/decisions', { ...defaults, ...wanted })) as {
      state: string;
      detail: string | null;
    };
  }
}

/** Where an agent of this name keeps its state. */
export function stateDirOf(network: GuardedNetwork, name: string): string {
  return join(network.folder, `${name}-state`);
}
