/**
 * A SYN flood from spoofed sources through the whole agent: its memory, what it evicted and lost, and when it raised
 * the alert. JSON on stdout.
 * usage: syn-flood.ts [--sources 5000000] [--rate 50000] [--answers-one-of 1] [--live]
 *   --rate: SYNs per second of packet time, of a file; live: what tcpreplay is asked for, `top` for all it can
 *   --live: tcpreplay over a veth to `picket-agent run`, as root; else `picket-agent replay -` at full speed
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { CaptureNetwork } from './live/capture-network.ts';
import { treeFigures, type TreeFigures } from './live/process-tree.ts';
import { packetsOf, spoofedFlood, type SpoofedFlood } from './live/spoofed-flood.ts';
import { agentProgram, WatchedAgent } from './live/watched-agent.ts';

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

/** The highest of what was seen every 200 ms. */
class Peak {
  figures: TreeFigures = { rssMib: 0, tcpdumpRssMib: 0, cpuSeconds: 0, tcpdumpCpuSeconds: 0 };
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => this.#look(pid), 200);
  }

  stop(): TreeFigures {
    clearInterval(this.#timer);
    return this.figures;
  }

  #look(pid: number): void {
    const now = treeFigures(pid);
    this.figures = {
      rssMib: Math.max(this.figures.rssMib, now.rssMib),
      tcpdumpRssMib: Math.max(this.figures.tcpdumpRssMib, now.tcpdumpRssMib),
      cpuSeconds: now.cpuSeconds,
      tcpdumpCpuSeconds: now.tcpdumpCpuSeconds,
    };
  }
}

async function replayed(): Promise<object> {
  const agent = spawn(process.execPath, [...agentProgram, 'replay', '-', '--json'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const peak = new Peak(agent.pid!);
  const fed = pipeline(copies(spoofedFlood(flood)), agent.stdin);
  const lines = await readLines(agent);
  await fed;
  const figures = peak.stop();
  return { mode: 'replay', sent: packetsOf(flood), ...lines, ...named(figures) };
}

/** The flood is over before the agent has said its last word: packet time of the first alert counts. */
async function readLines(agent: ChildProcess): Promise<object> {
  const exited = once(agent, 'exit');
  let firstAlert: { class: string; afterSeconds: number } | undefined;
  let summary: object = {};
  for await (const line of createInterface({ input: agent.stdout! })) {
    const message = JSON.parse(line) as { type: string; class: string; last_seen_at: string };
    if (message.type === 'alert') {
      firstAlert ??= {
        class: message.class,
        afterSeconds: Math.round(Date.parse(message.last_seen_at) - flood.startUs / 1000) / 1000,
      };
    } else if (message.type === 'summary') summary = message;
  }
  const [code] = (await exited) as [number];
  if (code !== 0) throw new Error(`the agent ended with code ${code}`);
  return { first_alert: firstAlert ?? null, flood_seconds: flood.sources / flood.rate, ...summary };
}

function* copies(pieces: Iterable<Uint8Array>): Generator<Uint8Array, void, void> {
  for (const piece of pieces) yield Uint8Array.from(piece); // a stream keeps what it was handed; pieces are overwritten
}

async function seenLive(folder: string): Promise<object> {
  const file = join(folder, 'flood.pcap');
  await pipeline(copies(spoofedFlood(flood)), createWriteStream(file));
  await using network = await CaptureNetwork.open();
  await using agent = await WatchedAgent.start(network, folder);
  const peak = new Peak(agent.pid);
  const sent = await network.replay(file, values.rate === 'top' ? 'top' : flood.rate);
  const sendingEndedAt = Date.now();
  const { health } = await agent.settled(sent.packets);
  const figures = peak.stop();
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
    first_alert_after_seconds: alertAt === null ? null : alertAt / 1000 - (sendingEndedAt / 1000 - sent.seconds),
    ...named(figures),
  };
}

function named(figures: TreeFigures): object {
  return {
    peak_rss_mib: figures.rssMib,
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
