/**
 * Runs a program on one CPU and takes its CPU time from the outside, the same way for our programs and for others: bash
 * keeps the time of what it started to the millisecond.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';

export interface ProcessTime {
  /** User and system time of the whole process. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** Empty unless it was asked for. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  /** Keep what it prints; otherwise that goes to /dev/null. */
  readonly keepOutput?: boolean;
}

/** No measurement takes this long: what does is stuck. */
const deadlineMs = 300_000;

const script = 'TIMEFORMAT="%3U %3S %3R"; { time "$@" 2>&4; } 2>&3';
const quietScript = script.replace('"$@"', '"$@" >/dev/null');

/** The last CPU this process may use, or undefined where programs cannot be pinned. */
export function pinnedCpu(): number | undefined {
  if (!isInstalled('taskset') || !existsSync('/proc/self/status')) return undefined;
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const last = allowed?.split(/[,-]/).at(-1);
  return last === undefined ? undefined : Number(last);
}

export function isInstalled(program: string): boolean {
  return spawnSync('bash', ['-c', 'command -v "$1"', 'bash', program], { stdio: 'ignore' }).status === 0;
}

/**
 * Run `command`, on CPU `cpu` where one is given.
 * @throws {Error} when it cannot be started or ends with anything but 0: a figure of a failure is worth nothing
 */
export async function timeProcess(
  command: readonly string[],
  cpu: number | undefined,
  options: ProcessOptions = {},
): Promise<ProcessTime> {
  const pinned = cpu === undefined ? command : ['taskset', '-c', String(cpu), ...command];
  const child = spawn('bash', ['-c', options.keepOutput === true ? script : quietScript, 'bash', ...pinned], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that all of it can be ended
  });
  const deadline = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), deadlineMs);
  const exited = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [stdout, times, stderr, status] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stdio[3] as Readable),
    text(child.stdio[4] as Readable),
    exited,
  ]).finally(() => clearTimeout(deadline));
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr.trim().slice(-500)}`);
  const [user = Number.NaN, system = Number.NaN, wall = Number.NaN] = times.trim().split(' ').map(Number);
  return { cpuSeconds: user + system, wallSeconds: wall, stdout, stderr };
}
