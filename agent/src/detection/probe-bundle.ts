/**
 * Loads a bundle in a process of its own before anything that matters does, and watches that process: its resident memory
 * (an address-space limit would kill Node by itself) and its time. Whatever happens to it, this process is unharmed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { BundleReference } from '@picket/shared/contract/model-manifest';
import type { BundleRefusal } from '@picket/shared/policy/bundle-fault';
import { BundleError } from './bundle-error.ts';
import type { BundleTrust } from './bundle-trust.ts';

export interface ProbeRequest {
  readonly folder: string;
  readonly trust: BundleTrust;
  readonly expected?: BundleReference;
}

export type ProbeReply =
  /** Milliseconds per window and per explanation, as a first impression. */
  | { readonly ok: true; readonly detectMs: number; readonly explainMs: number }
  | { readonly ok: false; readonly refusal: BundleRefusal; readonly reason: string };

export interface ProbeLimits {
  /** Resident memory of the process; a healthy one stays below half of it. */
  readonly maxRssBytes: number;
  readonly timeoutMs: number;
}

/** What a healthy probe did, and the most it took. */
export interface Probed {
  readonly detectMs: number;
  readonly explainMs: number;
  readonly peakRssBytes: number;
  readonly tookMs: number;
}

export const probeLimits: ProbeLimits = { maxRssBytes: 384 * 2 ** 20, timeoutMs: 20_000 };

const pollMs = 5;
const maxReplyBytes = 64 * 1024;

/** Throws BundleError: what the bundle was refused for, what it did to its process, or which limit it met. */
export async function probeBundle(
  request: ProbeRequest,
  limits: ProbeLimits = probeLimits,
  signal?: AbortSignal,
): Promise<Probed> {
  const startedAt = performance.now();
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./bundle-probe.${extension}`, import.meta.url));
  const child = spawn(
    process.execPath,
    [...conditions(), '--max-old-space-size=128', program, JSON.stringify(request)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {}, // nothing of ours is any of its business
      ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' }),
    },
  );
  const watch = watchOver(child, limits);
  const output = collect(child);
  try {
    const ended = await exitOf(child);
    if (watch.verdict !== undefined) throw new BundleError('failed-probe', watch.verdict);
    if (signal?.aborted === true) throw new BundleError('failed-probe', 'the probe was given up');
    const reply = parseReply(output.text);
    if (reply === undefined) {
      const last = output.errors.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
      throw new BundleError(
        'failed-probe',
        `the process that tried it ended with ${ended}${last === '' ? '' : `: ${last}`}`,
      );
    }
    if (!reply.ok) throw new BundleError(reply.refusal, reply.reason.replace(/^model bundle refused: /, ''));
    return {
      detectMs: reply.detectMs,
      explainMs: reply.explainMs,
      peakRssBytes: watch.peakRssBytes,
      tookMs: performance.now() - startedAt,
    };
  } finally {
    watch.end();
    child.kill('SIGKILL');
  }
}

/** Run from its sources, the agent finds its packages' sources; the child must too. */
function conditions(): string[] {
  return import.meta.url.endsWith('.ts') ? ['--conditions=@picket/source'] : [];
}

function watchOver(
  child: ChildProcess,
  limits: ProbeLimits,
): { readonly verdict: string | undefined; readonly peakRssBytes: number; end(): void } {
  let verdict: string | undefined;
  let peakRssBytes = 0;
  const pid = child.pid;
  const kill = (reason: string): void => {
    verdict ??= reason;
    child.kill('SIGKILL');
  };
  if (pid !== undefined) makeExpendable(pid);
  const poll = setInterval(() => {
    const rss = pid === undefined ? 0 : rssOf(pid);
    peakRssBytes = Math.max(peakRssBytes, rss);
    if (rss > limits.maxRssBytes)
      kill(
        `it took ${Math.round(rss / 2 ** 20)} MiB of memory when it was tried, more than ${Math.round(limits.maxRssBytes / 2 ** 20)}`,
      );
  }, pollMs);
  const timer = setTimeout(
    () => kill(`it did not get ready within ${limits.timeoutMs / 1000} s when it was tried`),
    limits.timeoutMs,
  );
  return {
    get verdict() {
      return verdict;
    },
    get peakRssBytes() {
      return peakRssBytes;
    },
    end: () => {
      clearInterval(poll);
      clearTimeout(timer);
    },
  };
}

/** Traffic goes first, and if the host runs out of memory the kernel takes the probe. */
function makeExpendable(pid: number): void {
  try {
    setPriority(pid, 10);
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // it has ended already, or this is not Linux
  }
}

/** 0 where the kernel does not tell. */
function rssOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * pageBytes;
  } catch {
    return 0;
  }
}

/** ARM64 kernels may have larger pages: then `statm` counts fewer of them, and a limit would be met too late. */
const pageBytes = pageSize();

function pageSize(): number {
  try {
    const own = Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]);
    const kib = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
    return [4096, 16_384, 65_536].find((size) => Math.abs((own * size) / 1024 / kib - 1) < 0.5) ?? 4096;
  } catch {
    return 4096;
  }
}

function collect(child: ChildProcess): { readonly text: string; readonly errors: string } {
  const collected = { text: '', errors: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (collected.text.length < maxReplyBytes) collected.text += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (collected.errors.length < maxReplyBytes) collected.errors += text;
  });
  return collected;
}

/** Resolves once it ended and all it said was read; in words. */
async function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      if (error.name === 'AbortError') resolve('an abort');
      else
        reject(new BundleError('failed-probe', `cannot start a process to try it: ${error.message}`, { cause: error }));
    });
    child.once('close', (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
  });
}

function parseReply(text: string): ProbeReply | undefined {
  try {
    return JSON.parse(text) as ProbeReply;
  } catch {
    return undefined;
  }
}
