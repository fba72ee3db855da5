/**
 * `picket-agent fail-open`: everything of ours out of the kernel, in one command, whether the agent runs, hangs or is
 * dead; and nothing comes back, over restarts and reboots, until its owner resumes.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Command } from 'commander';
import type { Decision } from '@picket/shared/contract/decision';
import { askAgent } from '../control/control-client.ts';
import { maxFailOpenSeconds, type FailOpenRequest, type HeldDecision } from '../control/control-server.ts';
import { readStoredDecisions } from '../enforcement/decision-rows.ts';
import {
  describeHeldOpen,
  markHeldOpen,
  readHeldOpen,
  removeHeldOpen,
  type HeldOpenMark,
} from '../enforcement/held-open.ts';
import type { Kernel } from '../enforcement/kernel.ts';
import { NftKernel } from '../enforcement/nft-kernel.ts';
import { dropOwnTables, listOwnTables } from '../enforcement/own-tables.ts';
import { SteadyClock, systemTime } from '../enforcement/steady-clock.ts';
import { AgentError } from '../errors.ts';
import {
  describeAgent,
  describeSince,
  describeUndone,
  notMarked,
  notUndone,
  putBack,
  type AgentAnswer,
  type HeldBefore,
} from './fail-open-words.ts';
import { stateDirectoryOf, withAgentOptions, type AgentOptions } from './agent-options.ts';

interface FailOpenOptions extends AgentOptions {
  readonly until?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** An agent that hangs must not keep its owner waiting: the command does it by itself then. */
const patienceMs = 4000;
/** An agent that was not told, because it has another state directory, repairs its tables within a second. */
const repairMs = 2000;
const lookEveryMs = 100;
/** However long each takes: on a machine that stood still meanwhile the agent had no time either. */
const fewestLooks = 10;

export function failOpenCommand(): Command {
  return withAgentOptions(
    new Command('fail-open').description('take every restriction out of the kernel, and keep it out'),
  )
    .option('--until <TIME>', 'restrict again by itself: 30m, 4h, 7d, or a time like 2026-03-01T18:00Z')
    .option('--resume', 'restrict again')
    .option('--json', 'one JSON object')
    .action(async (options: FailOpenOptions) => {
      const stateDirectory = stateDirectoryOf(options);
      const report =
        options.resume === true ? await resume(stateDirectory) : await failOpen(stateDirectory, options.until);
      console.log(options.json === true ? JSON.stringify(report) : report.lines.join('\n'));
      if (report.problem !== null) throw report.problem;
    });
}

/** What was done, and what could not be. */
export interface FailOpenReport {
  /** Tables that were there before and are gone now. */
  readonly tables: readonly string[];
  /** Decisions that were in the kernel, or hold again. */
  readonly decisions: readonly string[];
  readonly held_open: boolean;
  readonly agent: AgentAnswer;
  readonly lines: readonly string[];
  readonly problem: AgentError | null;
}

export async function failOpen(
  stateDirectory: string,
  until: string | undefined,
  kernel: Kernel = new NftKernel(),
): Promise<FailOpenReport> {
  const seconds = until === undefined ? null : secondsUntil(until, Date.now());
  const clock = new SteadyClock(systemTime());
  const before = existsSync(stateDirectory) ? readHeldOpen(stateDirectory, clock) : undefined;
  const who = `fail-open by uid ${process.getuid?.() ?? 'unknown'}`;
  const found = await listOwnTables(kernel).catch((error: unknown) => asError(error));
  const held = found instanceof Error ? [] : heldBy(found.decisionIds, stateDirectory);
  // the mark first: whatever happens from here on, no restart blocks again
  const mark = tryMark(stateDirectory, { seconds, who, clock });
  const request: FailOpenRequest = { seconds, who };
  const agent = await ask(stateDirectory, 'POST', request);
  const dropped = await dropOwnTables(kernel).catch((error: unknown) => asError(error));
  const tables = found instanceof Error ? (dropped instanceof Error ? [] : dropped) : found.tables;
  const left = await listOwnTables(kernel).catch((error: unknown) => asError(error));
  const isUndone = left instanceof Error ? agent.state === 'did it' : left.tables.length === 0;
  // whoever was asked and did it does not put it back; whoever hangs reads the mark first
  const isPutBack =
    agent.state !== 'did it' &&
    !(dropped instanceof Error || left instanceof Error) &&
    dropped.length > 0 &&
    (!isUndone || (await comesBack(kernel, repairMs)));
  const isGone = isUndone && !isPutBack;
  const isOpen = !(mark instanceof Error) || agent.state === 'did it';
  return {
    tables: isGone ? tables : [],
    decisions: held.map(({ id }) => id),
    held_open: isOpen,
    agent: agent.state,
    lines: [
      ...(isGone ? describeUndone(tables, held, before) : []),
      ...(mark instanceof Error ? [] : [describeHeldOpen(mark)]),
      ...(isPutBack ? [] : [describeAgent(agent.state)]),
    ],
    problem: isGone
      ? isOpen
        ? null
        : notMarked(mark)
      : isPutBack
        ? putBack(stateDirectory)
        : notUndone(left, dropped),
  };
}

export async function resume(stateDirectory: string): Promise<FailOpenReport> {
  const clock = new SteadyClock(systemTime());
  const before = existsSync(stateDirectory) ? readHeldOpen(stateDirectory, clock) : undefined;
  const problem = tryRemove(stateDirectory);
  const agent = await ask(stateDirectory, 'DELETE');
  const holding = agent.held.filter(({ in_kernel }) => in_kernel);
  return {
    tables: [],
    decisions: holding.map(({ decision }) => decision.id),
    held_open: problem !== null,
    agent: agent.state,
    lines: [
      before === undefined ? 'it was not held open' : `no longer held open (since ${describeSince(before)})`,
      agent.state === 'did it'
        ? `${holding.length} of ${agent.held.length} decisions hold in the kernel again`
        : agent.state === 'not running'
          ? 'no agent is running: what has not run out holds again when it starts'
          : 'the agent did not answer: it restricts again when it looks next, within 10 s, or when it is restarted',
    ],
    problem,
  };
}

/** Seconds from now. */
export function secondsUntil(text: string, nowMs: number): number {
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
  const duration = /^(\d{1,7})([smhd])$/.exec(text);
  const seconds =
    duration === null
      ? Math.ceil((Date.parse(text) - nowMs) / 1000)
      : Number(duration[1]) * (units[duration[2] ?? ''] ?? Number.NaN);
  if (!(seconds >= 1 && seconds <= maxFailOpenSeconds)) {
    throw new AgentError('usage', `--until: "${text}" is not a time ahead; write 30m, 4h, 7d or 2026-03-01T18:00Z`);
  }
  return seconds;
}

function tryMark(stateDirectory: string, options: Parameters<typeof markHeldOpen>[1]): HeldOpenMark | Error {
  try {
    return markHeldOpen(stateDirectory, options);
  } catch (error) {
    return asError(error);
  }
}

function tryRemove(stateDirectory: string): AgentError | null {
  try {
    removeHeldOpen(stateDirectory);
    return null;
  } catch (error) {
    return new AgentError('no-permission', `it stays held open: ${asError(error).message}; use sudo`);
  }
}

async function ask(
  stateDirectory: string,
  method: 'POST' | 'DELETE',
  body?: FailOpenRequest,
): Promise<{ readonly state: AgentAnswer; readonly held: readonly HeldDecision[] }> {
  try {
    const answer = await askAgent<unknown>(stateDirectory, method, '/fail-open', body, patienceMs);
    return { state: 'did it', held: Array.isArray(answer) ? (answer as HeldDecision[]) : [] };
  } catch (error) {
    const isAway = error instanceof AgentError && error.code === 'unavailable';
    return { state: isAway ? 'not running' : 'no answer', held: [] };
  }
}

/** Those that can be named; the rest are known to the kernel by their ids only. */
function heldBy(ids: ReadonlySet<string>, stateDirectory: string): readonly HeldBefore[] {
  const stored = new Map(readStoredDecisions(join(stateDirectory, 'decisions.sqlite')).map((one) => [one.id, one]));
  return [...ids].map((id) => ({ id, decision: stored.get(id as Decision['id']) }));
}

/** Does somebody make our tables anew within this time? */
async function comesBack(kernel: Kernel, withinMs: number): Promise<boolean> {
  const endsAtMs = performance.now() + withinMs;
  for (let looks = 0; looks < fewestLooks || performance.now() < endsAtMs; looks++) {
    await setTimeout(lookEveryMs);
    const now = await listOwnTables(kernel).catch((error: unknown) => asError(error));
    if (!(now instanceof Error) && now.tables.length > 0) return true;
  }
  return false;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
