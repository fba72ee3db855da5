/**
 * From the start of `picket-agent run` until the kernel holds what its store holds, with nothing and with ten thousand
 * decisions on disk, turn and turn about: until the table stands, until the agent has read it back, and what that cost
 * all its processes. Needs root, nft and tcpdump; works in network namespaces. JSON on stdout, each run on stderr.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { AgentStatus } from '../agent/src/agent.ts';
import { askAgent } from '../agent/src/control/control-client.ts';
import { runProgram } from '../agent/src/enforcement/system-program.ts';
import { treeFigures } from './live/process-tree.ts';
import { agentProgram } from './live/watched-agent.ts';
import { blocks, openStore, tenThousand } from './measure/enforcement-runs.ts';
import { figureOf } from './measure/figures.ts';
import { GatewayNamespaces } from './measure/gateway-namespaces.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } });
const deadlineMs = 120_000;

/** Milliseconds since the start; seconds of CPU of the processes that run when it answers. */
interface Start {
  /** The table stands, with all that it holds: it is made in one batch. */
  readonly inKernelMs: number;
  /** Its local door answers, which it does when all has been read back and every packet counts. */
  readonly answersMs: number;
  readonly cpuSeconds: number;
}

using network = GatewayNamespaces.open();
const starts = new Map<number, Start[]>([
  [0, []],
  [tenThousand, []],
]);
const loads: number[] = [];
for (let run = 0; run < Number(values.runs); run++) {
  for (const held of run % 2 === 0 ? [0, tenThousand] : [tenThousand, 0]) {
    const start = await startWith(held);
    starts.get(held)!.push(start);
    loads.push(loadavg()[0] ?? Number.NaN);
    console.error(JSON.stringify({ held, ...start }));
  }
}
const figures = Object.fromEntries(
  [...starts].map(([held, some]) => [
    `with_${held}_held`,
    {
      runs: some.length,
      in_kernel_ms: figureOf(
        some.map((start) => start.inKernelMs),
        0,
      ),
      answers_ms: figureOf(
        some.map((start) => start.answersMs),
        0,
      ),
      cpu_seconds: figureOf(
        some.map((start) => start.cpuSeconds),
        2,
      ),
    },
  ]),
);
console.log(JSON.stringify({ ...figures, load: { least: Math.min(...loads), most: Math.max(...loads) } }, null, 2));

async function startWith(held: number): Promise<Start> {
  const folder = mkdtempSync(join(tmpdir(), 'picket-bench-'));
  try {
    const state = join(folder, 'state');
    mkdirSync(state, { mode: 0o700 });
    if (held > 0) {
      using store = openStore(join(state, 'decisions.sqlite'));
      store.put(blocks(held));
    }
    const config = join(folder, 'agent.yaml');
    writeFileSync(
      config,
      `state_dir: ${state}\ncapture: { source: live, interface: sender, ring_kib: 4096 }\nmode: enforce\nlog: { level: warn }\n`,
    );
    return await timed(state, config, held);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timed(state: string, config: string, held: number): Promise<Start> {
  const [program = '', ...args] = network.inside(
    'gateway',
    process.execPath,
    ...agentProgram,
    'run',
    '--config',
    config,
  );
  const startedAtMs = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  try {
    const inKernelMs = until(async () =>
      (await nft('-t', 'list', 'table', 'inet', 'picket')).code === 0 ? true : undefined,
    ).then(() => performance.now() - startedAtMs);
    const status = await until(() => askAgent<AgentStatus>(state, 'GET', '/status').catch(() => undefined));
    const answersMs = performance.now() - startedAtMs;
    const { cpuSeconds } = treeFigures(child.pid!);
    const inForce = status.health.enforcement.in_force;
    const elements = (await nft('list', 'table', 'inet', 'picket')).stdout.match(/ expires /g)?.length ?? 0;
    if (inForce !== held || elements !== held) {
      throw new Error(`${inForce} decisions in force and ${elements} elements in the kernel, not ${held}`);
    }
    return { inKernelMs: await inKernelMs, answersMs, cpuSeconds };
  } finally {
    const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    await exited;
    await nft('delete', 'table', 'inet', 'picket');
  }
}

function nft(...args: readonly string[]): ReturnType<typeof runProgram> {
  return runProgram(network.inside('gateway', 'nft', ...args), { signal: AbortSignal.timeout(20_000) });
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = performance.now() + deadlineMs; performance.now() < deadline; await pause(20)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Error(`not within ${deadlineMs} ms`);
}
