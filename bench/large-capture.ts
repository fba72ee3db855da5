/**
 * A capture of many GiB through `picket-agent flows` or `replay`: how fast it streams, and what memory it takes at its peak.
 * usage: large-capture.ts [--gib N] [--command flows|replay] [--through pipe|file] [--endings reference|live] [--slow-reader]
 * The capture is made on the fly: a pipe needs no disk. --slow-reader reads the output 64 KiB at a time, ten times a second.
 * JSON on standard output.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pcapBytes } from '../agent/src/testing/capture-builder.ts';
import { tcpFrame, type TimedFrame, udpFrame } from '../agent/src/testing/packet-builder.ts';

const { values: options } = parseArgs({
  options: {
    gib: { type: 'string', default: '10' },
    command: { type: 'string', default: 'flows' },
    through: { type: 'string', default: 'pipe' },
    endings: { type: 'string', default: 'reference' },
    'slow-reader': { type: 'boolean', default: false },
  },
});

const packetsPerBlock = 40_000;
const blockSeconds = 4;
const startSeconds = 1_700_000_000;
const bytesWanted = Number(options.gib) * 1_073_741_824;
const main = fileURLToPath(new URL('../agent/src/main.ts', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'picket-bench-'));
try {
  const path = join(folder, 'large.pcap');
  if (options.through === 'file') await writeLarge(path);
  console.log(JSON.stringify(await measure(options.through === 'file' ? path : '-'), undefined, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(input: string): Promise<object> {
  const startedMs = performance.now();
  const isFlows = options.command === 'flows';
  const args = isFlows
    ? ['flows', input, '--endings', options.endings, '--progress']
    : ['replay', input, '--json', '--progress'];
  const child = spawn(process.execPath, ['--conditions=@picket/source', main, ...args]);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  let peakKib = 0;
  const watch = setInterval(() => (peakKib = Math.max(peakKib, peakOf(child.pid))), 100);
  const reading = readOutput(child.stdout);
  child.stdin.on('error', () => undefined); // a child that ends early says so by its exit code
  if (input === '-') Readable.from(blocks()).pipe(child.stdin);
  else child.stdin.end();
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(watch);
  const seconds = (performance.now() - startedMs) / 1000;
  return {
    bench: 'large-capture',
    command: options.command,
    through: options.through,
    gib: Number(options.gib),
    slow_reader: options['slow-reader'],
    exit_code: code,
    seconds: Math.round(seconds),
    mib_per_second: Math.round(bytesWanted / 1_048_576 / seconds),
    output_bytes: await reading,
    peak_rss_mib: Math.round(peakKib / 1024),
    last_said: said.trimEnd().split('\n').at(-1),
    node: process.version,
    cpu: cpus()[0]?.model,
    load: loadavg()[0],
  };
}

async function readOutput(stdout: Readable): Promise<number> {
  let bytes = 0;
  if (!options['slow-reader']) {
    stdout.on('data', (data: Buffer) => (bytes += data.length));
    await finished(stdout);
    return bytes;
  }
  for await (const data of stdout) {
    bytes += (data as Buffer).length;
    await wait(100);
  }
  return bytes;
}

/** What the kernel remembers of the process's peak, KiB. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function writeLarge(path: string): Promise<void> {
  await using file = await open(path, 'w');
  for (const block of blocks()) await file.write(block);
}

/** The header, then the same conversations again and again, each time later. */
function* blocks(): Generator<Buffer> {
  const bytes = pcapBytes(conversations());
  yield Buffer.from(bytes.subarray(0, 24));
  const block = Buffer.from(bytes.subarray(24));
  const places = recordPlaces(block);
  const seconds = places.map((place) => block.readUInt32LE(place));
  for (let written = 24, turn = 0; written < bytesWanted; written += block.length, turn++) {
    const copy = Buffer.from(block);
    for (const [index, place] of places.entries()) copy.writeUInt32LE(seconds[index]! + turn * blockSeconds, place);
    yield copy;
  }
}

function recordPlaces(block: Buffer): number[] {
  const places: number[] = [];
  for (let at = 0; at < block.length; at += 16 + block.readUInt32LE(at + 8)) places.push(at);
  return places;
}

/** 40,000 packets in four seconds: 2,000 conversations of 20 packets, mostly large ones. */
function conversations(): TimedFrame[] {
  const frames: TimedFrame[] = [];
  for (let id = 0; id < packetsPerBlock / 20; id++) {
    const ends = { src: `10.0.${id & 63}.${(id >> 6) & 255}`, dst: '203.0.113.5', srcPort: 20_000 + id, dstPort: 443 };
    const back = { src: ends.dst, dst: ends.src, srcPort: ends.dstPort, dstPort: ends.srcPort };
    for (let turn = 0; turn < 20; turn++) {
      const way = turn % 3 === 0 ? ends : back;
      const payload = turn < 2 ? 0 : 600 + ((id * 31 + turn * 101) % 800);
      const flags = turn === 0 ? 'S' : turn === 1 ? 'SA' : turn === 19 ? 'R' : 'PA';
      const frame = id % 4 === 0 ? udpFrame(way, { payload }) : tcpFrame(way, { flags, payload });
      const timeUs = startSeconds * 1_000_000 + ((id * 20 + turn) * blockSeconds * 1_000_000) / packetsPerBlock;
      frames.push({ timeUs, frame });
    }
  }
  return frames;
}
