/**
 * Meters one capture with two threads, several times: one reads and finds the packets, the other decodes them and keeps
 * the flows. Prints TwoThreadPass[].
 * usage: two-threads-child.ts FILE PASSES
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { PcapFileSource } from '../../agent/src/capture/pcap-file-source.ts';
import { FlowMeter } from '../../agent/src/features/flow-meter.ts';
import { inlineDeeply } from '../../agent/src/features/inline-deeply.ts';
import { createRing, drainRing, fillRing, type SharedRing } from './chunk-ring.ts';
import type { TwoThreadPass } from './meter-pass.ts';

const [path = '', passes = '1'] = process.argv.slice(2);
inlineDeeply(); // as the one process that it is measured against
if (isMainThread) {
  const results: TwoThreadPass[] = [];
  for (let pass = 0; pass < Number(passes); pass++) results.push(await meter());
  console.log(JSON.stringify(results));
} else {
  const { file, ring } = workerData as { file: string; ring: SharedRing };
  const before = process.threadCpuUsage();
  await using source = await PcapFileSource.open(file);
  await fillRing(ring, source.chunks(new AbortController().signal));
  parentPort?.postMessage(seconds(process.threadCpuUsage(before)));
}

async function meter(): Promise<TwoThreadPass> {
  const ring = createRing();
  const reader = new Worker(new URL(import.meta.url), {
    workerData: { file: path, ring },
    execArgv: ['--conditions=@picket/source'],
  });
  const said = once(reader, 'message') as Promise<[number]>;
  await once(reader, 'online');
  const before = process.cpuUsage();
  const threadBefore = process.threadCpuUsage();
  const startedMs = performance.now();
  const flowMeter = FlowMeter.create({ profile: 'fixed', endings: 'reference', capacity: 1_048_576 }, (batch) =>
    flowMeter.giveBack(batch),
  );
  for (const chunk of drainRing(ring)) flowMeter.add(chunk);
  flowMeter.finish();
  const ownSeconds = seconds(process.threadCpuUsage(threadBefore));
  const cpuSeconds = seconds(process.cpuUsage(before));
  const wallSeconds = (performance.now() - startedMs) / 1000;
  const [readerSeconds] = await said;
  const { packets } = flowMeter.counters;
  return { cpuSeconds, wallSeconds, packets, busiestSeconds: Math.max(ownSeconds, readerSeconds) };
}

function seconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}
