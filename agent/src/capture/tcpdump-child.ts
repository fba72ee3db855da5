/**
 * How tcpdump is started: with the right to capture and no other, as a user of its own where we may choose one, and
 * ended by the kernel when whoever started it is gone, so that an agent that was killed leaves no capture behind.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface CaptureRequest {
  /** As the kernel names it, or `any`. */
  readonly interface: string;
  /** Bytes kept of each frame; 192 covers two VLAN tags, IPv6 with extension headers and a full TCP header. */
  readonly snapLength?: number;
  /** Kernel ring. The default of 2 MiB loses packets at 50,000 a second. */
  readonly ringKib?: number;
  /** BPF expression; empty: everything, VLAN and PPPoE included. */
  readonly filter?: string;
}

/** A running capture, wherever its process is. */
export interface CaptureChild {
  /** pcap bytes. */
  readonly stdout: Readable;
  /** What tcpdump says. */
  readonly stderr: Readable;
  /** Resolves when it has ended, for whatever reason; rejects where it could not be started. */
  readonly ended: Promise<void>;
  /** Ask for the drop counts; they come on stderr. */
  count(): void;
  stop(): void;
}

/** Interface names that may stand in a command line. */
export const interfacePattern = /^[A-Za-z0-9_.:][A-Za-z0-9_.:-]{0,14}$/;

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/** Program and arguments. `program`: for another path, or a stand-in. */
export function tcpdumpCommand(request: CaptureRequest, program = 'tcpdump'): readonly string[] {
  const { snapLength = 192, ringKib = 65_536, filter = '' } = request;
  const limits = ['-s', String(snapLength), '-B', String(ringKib)];
  const output = ['-n', '-w', '-', ...limits, '-U', '--immediate-mode'];
  const found = findProgram(program);
  const tcpdump = [found ?? program, '-i', request.interface, ...output, ...(filter ? ['--', filter] : [])];
  return setpriv === undefined || found === undefined
    ? tcpdump
    : [setpriv, '--pdeathsig', 'KILL', ...rights(), '--', ...tcpdump];
}

/** Starts it here, with `ended` handled by the caller. */
export function startTcpdump(request: CaptureRequest, program?: string): CaptureChild {
  const [command = '', ...args] = tcpdumpCommand(request, program);
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: captureEnvironment(),
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('close', () => resolve());
  ended.catch(() => undefined); // the caller may have stopped listening
  return {
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    count: () => void child.kill('SIGUSR1'),
    stop: () => void child.kill(),
  };
}

export function captureEnvironment(): NodeJS.ProcessEnv {
  return { PATH: searchPath(), LC_ALL: 'C' };
}

function searchPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
}

/** Looked for by us, because the user that tcpdump runs as may not read every folder of our PATH. */
function findProgram(program: string): string | undefined {
  const paths = program.includes('/')
    ? [program]
    : searchPath()
        .split(':')
        .map((folder) => join(folder, program));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** As setpriv's arguments; none where this process has no right to give, and tcpdump may have one by its file. */
function rights(): readonly string[] {
  if (!holds(capability.netRaw)) return [];
  const only = ['--inh-caps', '-all,+net_raw', '--ambient-caps', '-all,+net_raw', '--no-new-privs'];
  if (process.getuid?.() !== 0) return only;
  if (!holds(capability.setuid) || !holds(capability.setgid) || !holds(capability.setpcap)) return [];
  // Debian's tcpdump would change to this user by itself, and with that the kernel forgets to end it with us.
  const user = captureUser();
  return ['--reuid', user, '--regid', user, '--clear-groups', ...only, '--bounding-set', '-all,+net_raw'];
}

const capability = { setgid: 6, setuid: 7, setpcap: 8, netRaw: 13 } as const;

function holds(bit: number): boolean {
  const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(readOrEmpty('/proc/self/status')) ?? [];
  return ((BigInt(`0x${effective}`) >> BigInt(bit)) & 1n) === 1n;
}

function captureUser(): string {
  return /^tcpdump:/m.test(readOrEmpty('/etc/passwd')) ? 'tcpdump' : 'nobody';
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
