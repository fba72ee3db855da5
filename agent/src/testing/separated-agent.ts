/** An agent as its owner starts it, in a network namespace of its own, with its rights in a process apart. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { childrenOf, startOf } from './process-facts.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
export const source = '--conditions=@picket/source';

/** vitest's `onTestFinished`. */
type AfterTest = (undo: () => void) => void;
/** A command inside a network namespace. */
export type Inside = (...command: readonly string[]) => readonly string[];

/** A network namespace with a loopback that is up, gone after the test. */
export function namespace(afterTest: AfterTest): Inside {
  const name = `pkt-priv-${randomUUID().slice(0, 8)}`;
  run('ip', 'netns', 'add', name);
  afterTest(() => void spawnSync('ip', ['netns', 'del', name]));
  run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  return (...command) => ['ip', 'netns', 'exec', name, ...command];
}

/** Gone after the test. */
export function folder(afterTest: AfterTest): string {
  const path = mkdtempSync(join(tmpdir(), 'picket-privileged-'));
  afterTest(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** One with the rights of its own process apart, gone after the test. */
export class SeparatedAgent {
  readonly #child: ChildProcess;
  readonly #inside: Inside;
  readonly #state: string;

  private constructor(child: ChildProcess, inside: Inside, state: string) {
    this.#child = child;
    this.#inside = inside;
    this.#state = state;
  }

  /** `as`: setpriv's arguments, to start it as a service manager would. */
  static async start(
    afterTest: AfterTest,
    inside: Inside,
    state: string,
    settings = '',
    as: readonly string[] = ['--keep-groups'],
  ): Promise<SeparatedAgent> {
    const config = join(state, 'agent.yaml');
    writeFileSync(config, `state_dir: ${state}\ncapture: {source: live, interface: lo}\nmode: enforce\n${settings}\n`);
    const [program = '', ...args] = inside('setpriv', ...as, process.execPath, source, main, 'run', '--config', config);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    afterTest(() => void child.kill('SIGKILL'));
    const agent = new SeparatedAgent(child, inside, state);
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}`);
      return agent.tryToAsk('status').includes('decisions in force');
    });
    return agent;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** kill -9 of the one that holds the rights; resolves once none of its processes is left. */
  async killAll(): Promise<void> {
    const children = childrenOf(this.pid);
    const all = [...children, ...children.flatMap((child) => childrenOf(child))].map((pid) => [pid, startOf(pid)]);
    this.kill('SIGKILL');
    await this.exit();
    // a number may be another process's by then
    await eventually(() => all.every(([pid, start]) => start === '' || startOf(Number(pid)) !== start));
  }

  async exit(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  ask(...args: readonly string[]): string {
    return run(...this.#command(args));
  }

  /** What it says, even where it fails. */
  tryToAsk(...args: readonly string[]): string {
    const [program = '', ...rest] = this.#command(args);
    const { stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
    return stdout + stderr;
  }

  #command(args: readonly string[]): readonly string[] {
    return this.#inside(process.execPath, source, main, ...args, '--state-dir', this.#state);
  }
}

/** Empty where the table is not there. */
export function listing(inside: Inside): string {
  const [program = '', ...args] = inside('nft', 'list', 'table', 'inet', 'picket');
  return spawnSync(program, args, { encoding: 'utf8' }).stdout;
}

/** Rejects after a minute. */
export async function eventually(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('it did not happen within 60 s');
    await wait(50);
  }
}

/** Standard output; throws what it complains of. */
export function run(...command: readonly string[]): string {
  const [program = '', ...args] = command;
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command.join(' ')}: ${result.stdout}${result.stderr}`);
  return result.stdout;
}
