/** A short-lived system program (`nft`, `conntrack`): argument list, no shell, bounded output, a deadline. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ProgramResult {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramInput {
  /** What it reads as standard input; it gets a regular file, because nft cannot read Node's pipes. */
  readonly stdin?: string;
  readonly signal: AbortSignal;
}

const deadlineMs = 20_000;
const maxOutputBytes = 128 * 1024 * 1024;
/** Where Debian keeps them, whatever the PATH of a service says. */
const systemPaths = '/usr/sbin:/sbin:/usr/bin:/bin';

/** Throws `ENOENT` where the program is not installed, and where it was aborted or wrote too much. */
export async function runProgram(command: readonly string[], input: ProgramInput): Promise<ProgramResult> {
  const [program = '', ...args] = command;
  using file = input.stdin === undefined ? undefined : unlinkedFile(input.stdin);
  const signal = AbortSignal.any([input.signal, AbortSignal.timeout(deadlineMs)]);
  const child = spawn(program, args, {
    stdio: [file?.fd ?? 'ignore', 'pipe', 'pipe'],
    env: systemEnvironment(),
    signal,
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const stdout = collect(child.stdout!, () => child.kill());
  const stderr = collect(child.stderr!, () => child.kill());
  const code = await promise;
  if (stdout.bytes > maxOutputBytes) throw new Error(`${program} wrote more than ${maxOutputBytes} bytes`);
  return { code, stdout: text(stdout), stderr: text(stderr).trim() };
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/** The same program, ended by the kernel when the thread that starts it is gone, even where we were killed. */
export function endsWithUs(command: readonly string[]): readonly string[] {
  return setpriv === undefined ? command : [setpriv, '--pdeathsig', 'KILL', '--', ...command];
}

/** What system programs get to know of our environment. */
export function systemEnvironment(): NodeJS.ProcessEnv {
  return { PATH: `${process.env['PATH'] ?? ''}:${systemPaths}`, LC_ALL: 'C' };
}

interface Collected {
  readonly chunks: Buffer[];
  bytes: number;
}

function collect(stream: NodeJS.ReadableStream, stop: () => void): Collected {
  const collected: Collected = { chunks: [], bytes: 0 };
  stream.on('data', (chunk: Buffer) => {
    collected.bytes += chunk.length;
    if (collected.bytes > maxOutputBytes) stop();
    else collected.chunks.push(chunk);
  });
  return collected;
}

function text(collected: Collected): string {
  return Buffer.concat(collected.chunks).toString('utf8');
}

/** Only we can read it, and it has no name any more. */
function unlinkedFile(content: string): { readonly fd: number } & Disposable {
  const path = join(tmpdir(), `picket-${randomUUID()}`);
  const fd = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
    // at its beginning: where we write is where it is read on
    for (let rest = Buffer.from(content), at = 0; rest.length > 0;) {
      const written = writeSync(fd, rest, 0, rest.length, at);
      rest = rest.subarray(written);
      at += written;
    }
    return { fd, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
