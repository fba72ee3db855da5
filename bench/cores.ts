/**
 * Whether a second core pays for the meter: two processes with half of the conversations each, or two threads that share
 * the work on every packet, against one process.
 * usage: cores.ts [--pcap FILE] [--runs 3]
 * Without --pcap it makes a capture as `meter` does. Needs tcpdump, which divides it. JSON on stdout.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeCapture } from './capture/write-capture.ts';
import { figureOf } from './measure/figures.ts';
import type { MeterPass, TwoThreadPass } from './measure/meter-pass.ts';
import { isInstalled, timeProcess } from './measure/pinned-process.ts';

const { values: options } = parseArgs({
  options: { pcap: { type: 'string' }, runs: { type: 'string', default: '3' } },
});
/** Both directions of a conversation give the same bit. */
const half = (bit: number): string =>
  `(ip and (ip[15] + ip[19]) & 1 = ${bit}) or (ip6 and (ip6[23] + ip6[39]) & 1 = ${bit})`;
const node = [process.execPath, '--conditions=@picket/source'];
const programOf = (name: string): string => fileURLToPath(new URL(`measure/${name}`, import.meta.url));

const folder = await mkdtemp(join(tmpdir(), 'picket-bench-'));
try {
  const pcap = options.pcap === undefined ? join(folder, 'bench.pcap') : resolve(options.pcap);
  if (options.pcap === undefined) await writeCapture(pcap);
  const taken = { one: [] as Pass[], halves: [] as Pass[], threads: [] as Pass[], dividing: [] as number[] };
  const divisible = isInstalled('tcpdump');
  for (let run = 0; run < Number(options.runs); run++) {
    process.stderr.write(`run ${run + 1} of ${options.runs}\n`);
    taken.one.push(...(await onePass(pcap)));
    taken.threads.push(...(await threadPasses(pcap)));
    if (!divisible) continue;
    let dividing = 0;
    for (const bit of [0, 1]) {
      const command = ['tcpdump', '-r', pcap, '-w', join(folder, `half-${bit}.pcap`), half(bit)];
      dividing += (await timeProcess(command, undefined)).cpuSeconds;
    }
    taken.dividing.push(dividing);
    taken.halves.push(...(await halfPasses()));
  }
  const report = {
    bench: 'cores',
    one_process: figuresOf(taken.one),
    two_processes: divisible
      ? { ...figuresOf(taken.halves), cpu_seconds_to_divide_the_file: figureOf(taken.dividing) }
      : 'tcpdump is not installed',
    two_threads: figuresOf(taken.threads),
  };
  const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version, load: loadavg()[0] };
  console.log(JSON.stringify({ ...report, ...machine }, undefined, 2));
} finally {
  await rm(folder, { recursive: true });
}

/** One pass over the whole capture, whoever did it. */
type Pass = TwoThreadPass;

async function onePass(pcap: string): Promise<Pass[]> {
  return (await passesOf(pcap, undefined)).map((pass) => ({ ...pass, busiestSeconds: pass.cpuSeconds }));
}

/** Both at the same time, as they would run. */
async function halfPasses(): Promise<Pass[]> {
  const pinned = isInstalled('taskset') && cpus().length > 1;
  const [first, second] = await Promise.all(
    [0, 1].map((bit) => passesOf(join(folder, `half-${bit}.pcap`), pinned ? bit : undefined)),
  );
  return first!.map((one, index) => {
    const other = second![index]!;
    return {
      packets: one.packets + other.packets,
      cpuSeconds: one.cpuSeconds + other.cpuSeconds,
      wallSeconds: Math.max(one.wallSeconds, other.wallSeconds),
      busiestSeconds: Math.max(one.cpuSeconds, other.cpuSeconds),
    };
  });
}

async function passesOf(pcap: string, cpu: number | undefined): Promise<MeterPass[]> {
  const command = [...node, programOf('meter-child.ts'), pcap, 'reference', 'none', '4'];
  const { stdout } = await timeProcess(command, cpu, { keepOutput: true });
  return (JSON.parse(stdout) as MeterPass[]).slice(1);
}

async function threadPasses(pcap: string): Promise<Pass[]> {
  const command = [...node, programOf('two-threads-child.ts'), pcap, '4'];
  const { stdout } = await timeProcess(command, undefined, { keepOutput: true });
  return (JSON.parse(stdout) as TwoThreadPass[]).slice(1);
}

function figuresOf(passes: readonly Pass[]): object {
  const { packets } = passes[0]!;
  const rate = (seconds: number): number => Math.round(packets / seconds);
  const busiest = figureOf(passes.map((pass) => pass.busiestSeconds));
  const wall = figureOf(passes.map((pass) => pass.wallSeconds));
  return {
    packets,
    cpu_seconds: figureOf(passes.map((pass) => pass.cpuSeconds)),
    busiest_cpu_seconds: busiest,
    wall_seconds: wall,
    packets_per_second_on_an_idle_machine: { median: rate(busiest.median), best: rate(busiest.best) },
    packets_per_second_now: { median: rate(wall.median), best: rate(wall.best) },
  };
}
