/** The flows of a capture as the agent itself tells them: extracted as it does live. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** One line of `picket-agent flows --format jsonl`: a flow that ended, or a report of one that goes on. */
export interface FlowLine {
  readonly src_ip: string;
  readonly src_port: number;
  readonly dst_ip: string;
  readonly dst_port: number;
  readonly protocol: number;
  readonly started_at: string;
  readonly last_packet_at: string;
  readonly flow_number: number;
  readonly report_number: number;
  readonly features: Readonly<Record<string, number | null>>;
}

/** In the agent's order. Throws where it cannot read the capture. */
export async function* agentFlows(path: string, signal: AbortSignal): AsyncGenerator<FlowLine> {
  const agent = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
  const options = ['--profile', 'fixed', '--endings', 'live', '--format', 'jsonl'];
  const argv = ['--conditions=@picket/source', agent, 'flows', path, ...options];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'], signal });
  child.on('error', () => undefined); // an abort; the status says the rest
  const ended = once(child, 'close') as Promise<[number | null]>;
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as FlowLine; // of our own agent
  const [code] = await ended;
  if (code !== 0) throw new Error(`picket-agent flows ${path} ended with code ${String(code)}`);
}

/** Microseconds since 1970 of a time of a flow: ISO 8601 with microseconds. */
export function instantUs(text: string): number {
  return Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Number(text.slice(20, -1).padEnd(6, '0'));
}
