/**
 * How many packets one CPU meters in a second, and how that compares with tcpdump, argus and softflowd.
 * usage: meter.ts [--pcap FILE] [--runs 5] [--packets 1200000] [--cpu N]
 * Without --pcap it makes a capture of 1.2 million packets (590 MB, the same every time) under the system's folder for
 * temporary files. Every measurement is a process of its own on one CPU; rates are per second of CPU time (user and
 * system, all threads), taken from the outside. JSON on stdout, progress on stderr.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultPackets, writeCapture } from './capture/write-capture.ts';
import { measureAll, type Measured, settledPasses, type VariantName, variantNames } from './measure/contenders.ts';
import { type Figure, figureOf, rounded } from './measure/figures.ts';
import { NetflowSink, peerNames } from './measure/peers.ts';
import { isInstalled, pinnedCpu } from './measure/pinned-process.ts';

const { values: options } = parseArgs({
  options: {
    pcap: { type: 'string' },
    runs: { type: 'string', default: '5' },
    packets: { type: 'string', default: String(defaultPackets) },
    cpu: { type: 'string' },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'picket-bench-'));
try {
  if (!isInstalled('bash')) throw new Error('bash is not installed, and it keeps the time here: install it');
  const pcap = options.pcap === undefined ? await ownCapture() : resolve(options.pcap);
  const emptyPcap = join(folder, 'empty.pcap');
  await writeCapture(emptyPcap, 0);
  await using sink = await NetflowSink.open();
  const cpu = options.cpu === undefined ? pinnedCpu() : Number(options.cpu);
  const loadBefore = loadavg()[0];
  const runs = Number(options.runs);
  const measured = await measureAll({ pcap, emptyPcap, folder, cpu, runs, sink });
  const { size: bytes } = await stat(pcap);
  const machine = { node: process.version, model: cpus()[0]?.model, load: [loadBefore, loadavg()[0]] };
  const report = {
    bench: 'meter',
    capture: { bytes, own: options.pcap === undefined },
    runs,
    cpu: cpu ?? 'not pinned',
  };
  console.log(JSON.stringify({ ...report, ...figures(measured), ...machine }, undefined, 2));
} finally {
  await rm(folder, { recursive: true });
}

async function ownCapture(): Promise<string> {
  process.stderr.write('making a capture …\n');
  const path = join(folder, 'bench.pcap');
  await writeCapture(path, Number(options.packets));
  return path;
}

function figures(measured: Measured): object {
  const packets = measured.counters.no_output?.packets ?? 0;
  const startUp = figureOf(measured.startUp);
  const rates = (cost: Figure) => ({
    cpu_seconds: cost,
    packets_per_cpu_second: { median: Math.round(packets / cost.median), best: Math.round(packets / cost.best) },
  });
  const perVariant = <Value>(value: (name: VariantName) => Value) =>
    Object.fromEntries(variantNames.map((name) => [name, value(name)]));
  const whole = (name: VariantName): Figure => figureOf(measured.whole[name]);
  const withoutStart = (name: VariantName): Figure =>
    figureOf(measured.whole[name].map((seconds) => seconds - startUp.median));
  const warm = (name: VariantName): Figure => figureOf(settledPasses(measured.passes[name]));
  const byPass = (processes: readonly (readonly number[])[]): number[] =>
    processes[0]!.map((_, pass) => Math.round(packets / figureOf(processes.map((passes) => passes[pass]!)).median));
  const ratios = (cost: Figure) =>
    Object.fromEntries(
      peerNames.flatMap((peer) => {
        const seconds = measured.peers[peer];
        return typeof seconds === 'string' ? [] : [[peer, rounded(figureOf(seconds).median / cost.median, 2)]];
      }),
    );
  return {
    packets,
    start_up_cpu_seconds: startUp,
    whole_process: perVariant((name) => rates(whole(name))),
    without_start_up: perVariant((name) => rates(withoutStart(name))),
    warm: perVariant((name) => rates(warm(name))),
    packets_per_cpu_second_by_pass: perVariant((name) => byPass(measured.passes[name])),
    peers: Object.fromEntries(
      peerNames.map((peer) => {
        const seconds = measured.peers[peer];
        return [peer, typeof seconds === 'string' ? seconds : rates(figureOf(seconds))];
      }),
    ),
    times_as_fast_as: {
      whole_process: perVariant((name) => ratios(whole(name))),
      without_start_up: perVariant((name) => ratios(withoutStart(name))),
      warm: perVariant((name) => ratios(warm(name))),
    },
    flows: perVariant((name) => measured.counters[name]?.flows),
    reports: measured.counters.live_endings?.reports,
    csv_bytes: measured.counters.csv?.csvBytes,
  };
}
