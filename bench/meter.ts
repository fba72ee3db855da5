/**
 * How many packets one CPU core meters in a second, without output and with CSV.
 * usage: meter.ts [--pcap FILE] [--runs N] [--endings reference|live]
 * Without --pcap it writes a capture of its own under the system's folder for temporary files. JSON on standard output:
 * the median of the runs; rates are per second of CPU time (user and system) of the whole process.
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PcapFileSource } from '../agent/src/capture/pcap-file-source.ts';
import { csvLines } from '../agent/src/commands/format-flows.ts';
import { type FlowCounters } from '../agent/src/flow/flow-assembler.ts';
import type { FlowEndings } from '../agent/src/flow/flow-semantics.ts';
import { FlowMeter } from '../agent/src/features/flow-meter.ts';
import { pcapBytes } from '../agent/src/testing/capture-builder.ts';
import { tcpFrame, type TimedFrame, udpFrame } from '../agent/src/testing/packet-builder.ts';

interface Run {
  readonly cpuSeconds: number;
  readonly counters: FlowCounters;
  readonly csvBytes: number;
}

const { values: options } = parseArgs({
  options: {
    pcap: { type: 'string' },
    runs: { type: 'string', default: '5' },
    endings: { type: 'string', default: 'reference' },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'picket-bench-'));
try {
  const path = options.pcap ?? (await synthesise(join(folder, 'bench.pcap')));
  const runs = Number(options.runs);
  const endings: FlowEndings = options.endings === 'live' ? 'live' : 'reference';
  console.log(
    JSON.stringify(
      {
        bench: 'meter',
        capture_bytes: (await stat(path)).size,
        endings,
        runs,
        no_output: await medianOf(runs, path, endings, false),
        csv: await medianOf(runs, path, endings, true),
        rss_mib: Math.round(process.memoryUsage().rss / 1_048_576),
        node: process.version,
        cpu: cpus()[0]?.model,
        load: loadavg()[0],
      },
      undefined,
      2,
    ),
  );
} finally {
  await rm(folder, { recursive: true });
}

async function medianOf(runs: number, path: string, endings: FlowEndings, csv: boolean): Promise<object> {
  await run(path, endings, csv); // the page cache and the compiler
  const results: Run[] = [];
  for (let turn = 0; turn < runs; turn++) results.push(await run(path, endings, csv));
  results.sort((one, other) => one.cpuSeconds - other.cpuSeconds);
  const { cpuSeconds, counters, csvBytes } = results[Math.floor(runs / 2)]!;
  return {
    cpu_seconds: round(cpuSeconds),
    cpu_seconds_fastest: round(results[0]!.cpuSeconds),
    packets: counters.packets,
    packets_per_cpu_second: Math.round(counters.packets / cpuSeconds),
    flows: counters.flows,
    reports: counters.reports,
    csv_bytes: csvBytes,
  };
}

async function run(path: string, endings: FlowEndings, csv: boolean): Promise<Run> {
  const before = process.cpuUsage();
  let csvBytes = 0;
  const capacity = endings === 'live' ? 65_536 : 1_048_576;
  const meter = FlowMeter.create({ profile: 'fixed', endings, capacity }, (batch) => {
    if (csv) csvBytes += Buffer.from(csvLines(batch)).length;
  });
  await using source = await PcapFileSource.open(path);
  for await (const chunk of source.chunks(new AbortController().signal)) meter.add(chunk);
  meter.finish();
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, counters: meter.counters, csvBytes };
}

/** 400,000 packets of 20,000 connections and look-ups, interleaved, the same every time. */
async function synthesise(path: string): Promise<string> {
  const frames: TimedFrame[] = [];
  const conversations = 20_000;
  for (let id = 0; id < conversations; id++) {
    const ends = { src: `10.0.${id & 63}.${(id >> 6) & 255}`, dst: '203.0.113.5', srcPort: 20_000 + id, dstPort: 443 };
    const back = { src: ends.dst, dst: ends.src, srcPort: ends.dstPort, dstPort: ends.srcPort };
    let timeUs = 1_700_000_000_000_000 + id * 5000;
    for (let turn = 0; turn < 20; turn++) {
      timeUs += 997 * (1 + ((id * 7 + turn * 13) % 50));
      const way = turn % 3 === 0 ? ends : back;
      const payload = (id * 31 + turn * 101) % 1400;
      const flags = turn === 0 ? 'S' : turn === 1 ? 'SA' : turn === 19 ? 'R' : 'PA';
      const frame =
        id % 4 === 0 ? udpFrame(way, { payload }) : tcpFrame(way, { flags, payload: turn < 2 ? 0 : payload });
      frames.push({ timeUs, frame });
    }
  }
  frames.sort((one, other) => one.timeUs - other.timeUs);
  await writeFile(path, pcapBytes(frames));
  return path;
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
