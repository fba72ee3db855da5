/** `picket-agent run` on the watched host of a capture network, without a controller, asked through its local door. */
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DatabaseSync } from 'node:sqlite';
import type { AgentStatus } from '../../agent/src/agent.ts';
import { askAgent } from '../../agent/src/control/control-client.ts';
import { type CaptureNetwork, watched } from './capture-network.ts';

/** Arguments of Node. */
export const agentProgram = [
  '--conditions=@picket/source',
  fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url)),
] as const;

const patienceMs = 120_000;

export class WatchedAgent implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #state: string;

  private constructor(child: ChildProcess, state: string) {
    this.#child = child;
    this.#state = state;
  }

  /** Resolves when it watches. `folder` takes its configuration and state. */
  static async start(network: CaptureNetwork, folder: string): Promise<WatchedAgent> {
    const state = join(folder, 'state');
    const config = join(folder, 'agent.yaml');
    await writeFile(
      config,
      `state_dir: ${state}\ncapture: { source: live, interface: ${watched} }\nmode: simulate\nlog: { level: warn }\n`,
    );
    const child = network.spawn([process.execPath, ...agentProgram, 'run', '--config', config], 'inherit');
    const agent = new WatchedAgent(child, state);
    await agent.#until((status) => status !== undefined);
    return agent;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Milliseconds since 1970 at which the first alert was committed, or null. The agent must have stopped: it holds the file. */
  firstAlertAt(): number | null {
    using outbox = new DatabaseSync(join(this.#state, 'outbox.sqlite'), { readOnly: true });
    const row = outbox.prepare("SELECT min(at) AS at FROM event WHERE lost = 0 AND channel = 'alerts'").get();
    return typeof row?.['at'] === 'number' ? row['at'] : null;
  }

  status(): Promise<AgentStatus> {
    return askAgent<AgentStatus>(this.#state, 'GET', '/status');
  }

  /** A command line of the agent, asked of this one. */
  ask(command: string): Promise<{ readonly stdout: string }> {
    return promisify(execFile)(process.execPath, [...agentProgram, command, '--state-dir', this.#state]);
  }

  /** The status once every packet that was sent is accounted for: seen or dropped. Rejects after two minutes. */
  settled(packets: number): Promise<AgentStatus> {
    return this.#until(
      (status) =>
        status !== undefined && status.health.capture.packets + status.health.capture.dropped_kernel >= packets,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  async #until(isRight: (status: AgentStatus | undefined) => boolean): Promise<AgentStatus> {
    for (const deadline = performance.now() + patienceMs; performance.now() < deadline;) {
      if (this.#child.exitCode !== null) throw new Error(`the agent ended with code ${this.#child.exitCode}`);
      const status = await this.status().catch(() => undefined);
      if (status !== undefined && isRight(status)) return status;
      await pause(200);
    }
    throw new Error(`not within ${patienceMs} ms; the agent says ${JSON.stringify(await this.status())}`);
  }
}
