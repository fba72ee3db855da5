/**
 * A SYN flood from spoofed sources through the whole agent: its memory, what it evicted and lost, and when it raised
 * the alert. JSON on stdout.
 * usage: syn-flood.ts [--sources 5000000] [--rate 50000] [--answers-one-of 1] [--live]
 *   --rate: SYNs per second of packet time, of a file; live: what tcpreplay is asked for, `top` for all it can
 *   --live: tcpreplay over a veth to `picket-agent run`, as root; else `picket-agent replay -` at full speed
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { CaptureNetwork } from './live/capture-network.ts';
import { type TreeFigures, TreePeak } from './live/process-tree.ts';
import { copies, replayFlood } from './live/replayed-flood.ts';
import { packetsOf, spoofedFlood, type SpoofedFlood } from './live/spoofed-flood.ts';
import { WatchedAgent } from './live/watched-agent.ts';

const { values } = parseArgs({
  options: {
    sources: { type: 'string', default: '5000000' },
    rate: { type: 'string', default: '50000' },
    'answers-one-of': { type: 'string', default: '1' },
    live: { type: 'boolean', default: false },
  },
});
const flood: SpoofedFlood = {
  sources: Number(values.sources),
  rate: values.rate === 'top' ? 50_000 : Number(values.rate),
  answersOneOf: Number(values['answers-one-of']),
  startUs: Date.now() * 1000,
};

async function replayed(): Promise<object> {
  const { summary, firstAlert, peak } = await replayFlood(flood);
  return {
    mode: 'replay',
    sent: packetsOf(flood),
    flood_seconds: flood.sources / flood.rate,
    first_alert: firstAlert ?? null,
    ...summary,
    ...named(peak),
  };
}

async function seenLive(folder: string): Promise<object> {
  const file = join(folder, 'flood.pcap');
  await pipeline(copies(spoofedFlood(flood)), createWriteStream(file));
  await using network = await CaptureNetwork.open();
  await using agent = await WatchedAgent.start(network, folder);
  using peak = new TreePeak(agent.pid);
  const sent = await network.replay(file, values.rate === 'top' ? 'top' : flood.rate);
  const { health } = await agent.settled(sent.packets);
  const { figures } = peak;
  await agent.stop();
  const { capture, flows, detection, memory } = health;
  const alertAt = agent.firstAlertAt();
  return {
    mode: 'live',
    sent: sent.packets,
    packets_per_second: Math.round(sent.packets / sent.seconds),
    capture,
    flows,
    detection,
    memory,
    first_alert_after_seconds: alertAt === null ? null : (alertAt - sent.startedAtMs) / 1000,
    ...named(figures),
  };
}

function named(figures: TreeFigures): object {
  return {
    peak_rss_mib: figures.rssMib,
    at_that_peak: figures.rssMibByName,
    peak_rss_mib_of_tcpdump: figures.tcpdumpRssMib,
    cpu_seconds: Number(figures.cpuSeconds.toFixed(1)),
    cpu_seconds_of_tcpdump: Number(figures.tcpdumpCpuSeconds.toFixed(1)),
  };
}

const folder = await mkdtemp(join(tmpdir(), 'picket-bench-'));
try {
  const result = values.live ? await seenLive(folder) : await replayed();
  console.log(JSON.stringify({ ...flood, ...result, load: loadavg()[0] }, null, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}
