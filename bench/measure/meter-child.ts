/**
 * Meters one capture several times in one process and prints what each pass cost: the first contains the compiler's
 * work, the later ones are what a program that runs for days costs.
 * usage: meter-child.ts FILE reference|live none|csv PASSES
 */
import { PcapFileSource } from '../../agent/src/capture/pcap-file-source.ts';
import { CsvLines } from '../../agent/src/commands/csv-lines.ts';
import { FlowMeter } from '../../agent/src/features/flow-meter.ts';
import { inlineDeeply } from '../../agent/src/features/inline-deeply.ts';
import type { MeterPass } from './meter-pass.ts';

const [path = '', endings = '', output = '', passes = '1'] = process.argv.slice(2);
inlineDeeply(); // as whoever meters for days
const results: MeterPass[] = [];
for (let pass = 0; pass < Number(passes); pass++) results.push(await meter());
console.log(JSON.stringify(results));

async function meter(): Promise<MeterPass> {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  let csvBytes = 0;
  const lines = new CsvLines();
  const live = endings === 'live';
  const flowMeter = FlowMeter.create(
    { profile: 'fixed', endings: live ? 'live' : 'reference', capacity: live ? 65_536 : 1_048_576 },
    (batch) => {
      if (output === 'csv') csvBytes += lines.of(batch).length;
      flowMeter.giveBack(batch);
    },
  );
  await using source = await PcapFileSource.open(path);
  for await (const chunk of source.chunks(new AbortController().signal)) flowMeter.add(chunk);
  flowMeter.finish();
  const { user, system } = process.cpuUsage(before);
  const wallSeconds = (performance.now() - startedMs) / 1000;
  const { packets, flows, reports } = flowMeter.counters;
  return { cpuSeconds: (user + system) / 1e6, wallSeconds, packets, flows, reports, csvBytes };
}
