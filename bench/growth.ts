/**
 * What a packet costs the meter while 1,000 to 1,000,000 flows are open, and how much memory a flow takes.
 * usage: growth.ts [--flows 1000,10000,100000,1000000] [--runs 3] [--packets 2000000] [--endings live] [--cpu N]
 * The table is sized for the flows. `random`: every packet belongs to any of them, each as likely; `skewed`: by Zipf's
 * law. Each sample is a process of its own on one CPU, sizes in turn. JSON on stdout, progress on stderr.
 */
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ArrivalOrder } from '../agent/src/testing/live-flow-traffic.ts';
import { figureOf, rounded } from './measure/figures.ts';
import type { GrowthSample } from './measure/growth-sample.ts';
import { pinnedCpu, timeProcess } from './measure/pinned-process.ts';

const { values: options } = parseArgs({
  options: {
    flows: { type: 'string', default: '1000,10000,100000,1000000' },
    runs: { type: 'string', default: '3' },
    packets: { type: 'string', default: '2000000' },
    endings: { type: 'string', default: 'live' },
    cpu: { type: 'string' },
  },
});
const orders: readonly ArrivalOrder[] = ['random', 'skewed'];
const sizes = options.flows.split(',').map(Number);
const runs = Number(options.runs);
const cpu = options.cpu === undefined ? pinnedCpu() : Number(options.cpu);
const child = fileURLToPath(new URL('measure/growth-child.ts', import.meta.url));

const samples = new Map<string, GrowthSample[]>();
for (let run = 0; run < runs; run++) {
  process.stderr.write(`run ${run + 1} of ${runs}\n`);
  for (const order of orders) {
    for (const size of sizes) {
      const taken = samplesOf(order, size);
      taken.push(await sample(order, size));
      samples.set(`${order} ${size}`, taken);
    }
  }
}
console.log(
  JSON.stringify(
    {
      bench: 'growth',
      runs,
      endings: options.endings,
      cpu: cpu ?? 'not pinned',
      ...Object.fromEntries(orders.map((order) => [order, growthOf(order)])),
      node: process.version,
      model: cpus()[0]?.model,
      load: loadavg()[0],
    },
    undefined,
    2,
  ),
);

function samplesOf(order: ArrivalOrder, size: number): GrowthSample[] {
  return samples.get(`${order} ${size}`) ?? [];
}

async function sample(order: ArrivalOrder, size: number): Promise<GrowthSample> {
  const program = [process.execPath, '--conditions=@picket/source', '--expose-gc', child];
  const command = [...program, String(size), order, options.endings, options.packets];
  const { stdout } = await timeProcess(command, cpu, { keepOutput: true });
  return JSON.parse(stdout) as GrowthSample;
}

function growthOf(order: ArrivalOrder): object {
  const perSize = sizes.map((size) => {
    const taken = samplesOf(order, size);
    return {
      flows: size,
      ns_per_packet: figureOf(
        taken.map((one) => one.nanosecondsPerPacket),
        0,
      ),
      ns_per_new_flow: figureOf(
        taken.map((one) => one.nanosecondsPerNewFlow),
        0,
      ),
      // A few flows are lost in what else the process takes and gives back.
      resident_bytes_per_flow: size < 100_000 ? null : Math.round(taken[0]!.residentBytesPerFlow),
      allocated_bytes_per_flow: Math.round(taken[0]!.allocatedBytesPerFlow),
      handed_over: taken[0]!.handedOver,
    };
  });
  const [first, last] = [perSize[0]!, perSize.at(-1)!];
  return {
    sizes: perSize,
    times_as_much_at_the_largest: {
      median: rounded(last.ns_per_packet.median / first.ns_per_packet.median, 2),
      best: rounded(last.ns_per_packet.best / first.ns_per_packet.best, 2),
    },
  };
}
