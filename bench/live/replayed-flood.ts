/** A spoofed flood through `picket-agent replay -` at full speed, and the memory that took. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { type TreeFigures, TreePeak } from './process-tree.ts';
import { spoofedFlood, type SpoofedFlood } from './spoofed-flood.ts';
import { agentProgram } from './watched-agent.ts';

/** What `replay --json` says at its end. */
export interface ReplaySummary {
  readonly packets: number;
  readonly flows: number;
  readonly reports: number;
  readonly evicted: number;
  readonly predictions: number;
  readonly alerts: number;
  readonly drops: number;
  readonly undecodable: number;
}

export interface ReplayedFlood {
  readonly summary: ReplaySummary;
  /** By packet time, since the flood began. */
  readonly firstAlert: { readonly class: string; readonly afterSeconds: number } | undefined;
  readonly peak: TreeFigures;
}

export async function replayFlood(flood: SpoofedFlood): Promise<ReplayedFlood> {
  const agent = spawn(process.execPath, [...agentProgram, 'replay', '-', '--json'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  using peak = new TreePeak(agent.pid!);
  const [said] = await Promise.all([readLines(agent, flood), pipeline(copies(spoofedFlood(flood)), agent.stdin)]);
  return { ...said, peak: peak.figures };
}

/** A stream keeps what it was handed, and pieces are overwritten. */
export function* copies(pieces: Iterable<Uint8Array>): Generator<Uint8Array, void, void> {
  for (const piece of pieces) yield Uint8Array.from(piece);
}

async function readLines(agent: ChildProcess, flood: SpoofedFlood): Promise<Omit<ReplayedFlood, 'peak'>> {
  const exited = once(agent, 'exit');
  let firstAlert: ReplayedFlood['firstAlert'];
  let summary: ReplaySummary | undefined;
  for await (const line of createInterface({ input: agent.stdout! })) {
    const message = JSON.parse(line) as { type: string; class: string; last_seen_at: string } & ReplaySummary;
    if (message.type === 'summary') summary = message;
    if (message.type === 'alert') {
      const afterSeconds = Math.round(Date.parse(message.last_seen_at) - flood.startUs / 1000) / 1000;
      firstAlert ??= { class: message.class, afterSeconds };
    }
  }
  const [code] = (await exited) as [number];
  if (code !== 0 || summary === undefined) throw new Error(`the agent ended with code ${code}`);
  return { summary, firstAlert };
}
