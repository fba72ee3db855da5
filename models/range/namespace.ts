/**
 * One disposable network namespace: a host of the range. Nothing in it can reach the machine's own network, for its
 * only links are veth pairs to other namespaces. Whatever still runs in it ends with it.
 */
import { type ChildProcess, type SpawnOptions, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Every namespace of ours begins with this, so that `range clean` finds what a crash left behind. */
export const namespacePrefix = 'pkrange-';

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * To a shell whose standard input is a socket, as ours are, and that no other shell started, it seems that somebody logged
 * in from afar: it would read what ~/.bashrc says, each time, and take seconds for it.
 */
const environment = { ...process.env, SHLVL: '1' };

/** Run a program to its end. Never throws because of a status: the caller decides what a failure means. */
function run(argv: readonly string[], timeoutMs = 120_000): Promise<Finished> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve) => {
    execFile(
      program,
      rest,
      { env: environment, timeout: timeoutMs, maxBuffer: 32 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ status, stdout, stderr: stderr === '' && error !== null ? error.message : stderr });
      },
    );
  });
}

/** Run a program that must succeed. Throws with its own words. */
export async function must(argv: readonly string[], timeoutMs?: number): Promise<string> {
  const finished = await run(argv, timeoutMs);
  if (finished.status !== 0) throw new Error(`${argv.join(' ')}: ${finished.stderr.trim()}`);
  return finished.stdout;
}

export class Namespace implements AsyncDisposable {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** Without IPv6 where it is not asked for: its housekeeping would be in every capture. */
  static async create(name: string, hasIpv6 = false): Promise<Namespace> {
    const namespace = new Namespace(`${namespacePrefix}${name}`);
    await must(['ip', 'netns', 'add', namespace.name]);
    // addresses count at once, and nobody advertises or solicits routers: the range sets all routes
    await namespace.sysctl('net.ipv6.conf.default.accept_dad', 0);
    await namespace.sysctl('net.ipv6.conf.default.router_solicitations', 0);
    await namespace.sysctl('net.ipv6.conf.default.accept_ra', 0);
    if (!hasIpv6) {
      await namespace.sysctl('net.ipv6.conf.all.disable_ipv6', 1);
      await namespace.sysctl('net.ipv6.conf.default.disable_ipv6', 1);
    }
    await namespace.must(['ip', 'link', 'set', 'lo', 'up']);
    return namespace;
  }

  /** The command line that runs `argv` in here. */
  inside(argv: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.name, ...argv];
  }

  run(argv: readonly string[], timeoutMs?: number): Promise<Finished> {
    return run(this.inside(argv), timeoutMs);
  }

  must(argv: readonly string[], timeoutMs?: number): Promise<string> {
    return must(this.inside(argv), timeoutMs);
  }

  /** Start a program that goes on; `ip netns exec` becomes the program, so signals reach it. */
  spawn(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = '', ...rest] = this.inside(argv);
    const child = spawn(program, rest, { stdio: 'ignore', ...options });
    child.on('error', () => undefined); // reported by whoever waits for it; an unwatched one must not end the run
    return child;
  }

  /** Many `ip` commands at once; each stands for what follows `ip`, those with `-6` come last. Throws with the first that fails. */
  async ip(commands: readonly string[]): Promise<void> {
    const long = commands.filter((command) => command.startsWith('-6 ')).map((command) => command.slice(3));
    const others = commands.filter((command) => !command.startsWith('-6 '));
    if (others.length > 0) await withInput(['ip', '-n', this.name, '-batch', '-'], others.join('\n'));
    if (long.length > 0) await withInput(['ip', '-6', '-n', this.name, '-batch', '-'], long.join('\n'));
  }

  /** Load an nftables script. */
  async nft(script: string): Promise<void> {
    await withInput(this.inside(['nft', '-f', '-']), script);
  }

  /** Whoever runs in here sees this file as `/etc/NAME`; a name with a folder hides what else is in that folder. */
  async overlay(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(overlayFolder(this.name), name)), { recursive: true });
    await writeFile(join(overlayFolder(this.name), name), text, { mode: 0o600 });
  }

  sysctl(key: string, value: number | string): Promise<string> {
    return this.must(['sysctl', '-qw', `${key}=${value}`]);
  }

  /** End whatever runs in here; the namespace stays. */
  endAll(): Promise<void> {
    return endProcesses(this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await destroyNamespace(this.name);
  }
}

/** End what runs in a namespace of ours and delete it. */
export async function destroyNamespace(name: string): Promise<void> {
  await endProcesses(name);
  await run(['ip', 'netns', 'delete', name]);
  await rm(overlayFolder(name), { recursive: true, force: true });
}

async function endProcesses(name: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (let attempt = 0; attempt < 20; attempt++) {
      const { stdout } = await run(['ip', 'netns', 'pids', name]);
      const ids = stdout.split('\n').filter(Boolean).map(Number);
      if (ids.length === 0) break;
      if (attempt === 0) ids.forEach((id) => signalQuietly(id, signal));
      await pause(50);
    }
  }
}

/** `ip netns exec` lays the files of this folder over those of /etc. */
const overlayFolder = (name: string): string => join('/etc/netns', name);

async function withInput(argv: readonly string[], input: string): Promise<void> {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(0, 2000)));
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(`${input}\n`);
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${said.trim()}`);
}

/** Namespaces of the range that exist now, of whichever run. */
export async function existingNamespaces(): Promise<string[]> {
  const names = (await must(['ip', 'netns', 'list'])).split('\n').map((line) => line.split(' ')[0] ?? '');
  return names.filter((name) => name.startsWith(namespacePrefix));
}

/** End a child, first politely, and wait until it is gone. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM', patienceMs = 3000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const killer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await ended;
  clearTimeout(killer);
}

function signalQuietly(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(id, signal);
  } catch {
    // it ended by itself in the meantime
  }
}
