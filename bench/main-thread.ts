/**
 * What the agent's main thread spends on a flow: attribution and windows alone, and all that follows, with the shipped
 * network on its thread and an outbox on disk. Flows per second of CPU time of that thread. JSON on stdout.
 * usage: main-thread.ts [FILE] [--packets 1000000] [--rate 100000] [--passes 5]
 *   --rate: packets per second that the packets are given; 0: as recorded
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PcapFileSource } from '../agent/src/capture/pcap-file-source.ts';
import { shippedBundleFolder } from '../agent/src/detection/shipped-bundle.ts';
import { DeviceRegistry } from '../agent/src/devices/device-registry.ts';
import type { FlowBatch } from '../agent/src/features/flow-batch.ts';
import { FlowMeter } from '../agent/src/features/flow-meter.ts';
import { keepHeapsSmall } from '../agent/src/memory-plan.ts';
import { Pipeline } from '../agent/src/pipeline.ts';
import { OutboxWriter } from '../agent/src/report/outbox-writer.ts';
import { Outbox } from '../agent/src/report/outbox.ts';
import { Reporter } from '../agent/src/report/reporter.ts';
import { Verdicts } from '../agent/src/verdict/decide-verdicts.ts';
import { DeviceWindows } from '../agent/src/window/device-windows.ts';
import { WorkerDetector } from '../agent/src/worker-detector.ts';
import { newId, type BootId } from '../shared/src/contract/identifiers.ts';
import { writeCapture } from './capture/write-capture.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    packets: { type: 'string', default: '1000000' },
    rate: { type: 'string', default: '100000' },
    passes: { type: 'string', default: '5' },
  },
});
const rate = Number(values.rate);
const bootId = newId() as BootId;

interface Spent {
  readonly cpuSeconds: number;
  readonly windows: number;
  readonly attacks: number;
}

/** The flows and reports that the packet thread would hand over. */
async function flowsOf(file: string): Promise<readonly FlowBatch[]> {
  const batches: FlowBatch[] = [];
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) => batches.push(batch));
  await using source = await PcapFileSource.open(file, { pace: 'max' });
  let packets = 0;
  let firstUs = -1;
  for await (const chunk of source.chunks(new AbortController().signal)) {
    if (firstUs < 0) firstUs = chunk.timesUs[0]!;
    for (let row = 0; row < chunk.count; row++, packets++) {
      if (rate > 0) chunk.timesUs[row] = firstUs + Math.floor((packets * 1e6) / rate);
    }
    meter.add(chunk);
  }
  meter.finish();
  return batches;
}

function cpuSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

/** Who a flow belongs to and which windows it makes due, and nothing else. */
function attribute(batches: readonly FlowBatch[]): Spent {
  const registry = new DeviceRegistry();
  const windows = new DeviceWindows({ source: 'pcap' });
  const before = cpuSeconds();
  let due = 0;
  for (const batch of batches) {
    for (let row = 0; row < batch.count; row++) {
      for (const { device, direction } of registry.attribute(batch, row)) windows.add(batch, row, device, direction);
    }
    for (let taken = windows.takeDue(); taken !== undefined; taken = windows.takeDue()) due += taken.batch.count;
  }
  return { cpuSeconds: cpuSeconds() - before, windows: due, attacks: 0 };
}

/** All that the main thread of `run` does without a controller. */
async function judge(batches: readonly FlowBatch[], detector: WorkerDetector, outboxFile: string): Promise<Spent> {
  using outbox = Outbox.open({
    path: outboxFile,
    maxBytes: 1 << 30,
    maxAgeMs: 86_400_000,
    log: console,
  });
  using writer = new OutboxWriter({ outbox, onCommitted: () => undefined });
  const reporter = new Reporter({
    bootId,
    source: 'pcap',
    benignSample: 0.01,
    mayReportInFull: () => true,
    sink: (events) => writer.add(events),
  });
  const pipeline = new Pipeline({
    bootId,
    source: 'pcap',
    registry: new DeviceRegistry(),
    windows: new DeviceWindows({ source: 'pcap' }),
    detector,
    verdicts: new Verdicts({ bootId }),
    threshold: detector.manifest.threshold,
    mayExplain: () => true,
    output: {
      onFlow: (batch, row, role, isRelayed) => reporter.onFlow(batch, row, role, isRelayed),
      onDevice: (sighting) => reporter.onDevice(sighting),
      onPrediction: (prediction, context, features, isEvidence) =>
        reporter.onPrediction(prediction, context, features, isEvidence),
      onAlert: (alert) => reporter.onAlert(alert),
      propose: () => undefined,
    },
  });
  const before = cpuSeconds();
  for (const batch of batches) await pipeline.add(batch);
  await pipeline.finish();
  reporter.finish();
  writer.flush();
  const { predictions, attacks } = pipeline.counters;
  return { cpuSeconds: cpuSeconds() - before, windows: predictions, attacks };
}

/** Per second of CPU time, best and median. */
function figures(flows: number, passes: readonly Spent[]): object {
  const perSecond = passes.map((pass) => Math.round(flows / pass.cpuSeconds)).toSorted((a, b) => b - a);
  const { windows, attacks } = passes[0]!;
  return { flows_per_cpu_second: { best: perSecond[0], median: perSecond[perSecond.length >> 1] }, windows, attacks };
}

keepHeapsSmall();
const folder = await mkdtemp(join(tmpdir(), 'picket-bench-'));
try {
  const file = positionals[0] ?? join(folder, 'mixed.pcap');
  if (positionals[0] === undefined) await writeCapture(file, Number(values.packets));
  const batches = await flowsOf(file);
  const flows = batches.reduce((total, { count }) => total + count, 0);
  await using detector = await WorkerDetector.open(shippedBundleFolder);
  const alone: Spent[] = [];
  const whole: Spent[] = [];
  for (let pass = 0; pass < Number(values.passes); pass++) {
    alone.push(attribute(batches));
    whole.push(await judge(batches, detector, join(folder, `outbox-${pass}.sqlite`)));
  }
  console.log(
    JSON.stringify(
      {
        flows_and_reports: flows,
        attribution_and_windows: figures(flows, alone),
        whole_main_thread: figures(flows, whole),
        load: loadavg()[0],
      },
      null,
      2,
    ),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
