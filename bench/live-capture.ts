/**
 * A capture replayed into a watched interface: what was lost on the way, how long a packet takes from its time stamp to
 * the decoder, and the CPU time of it. JSON on stdout. Needs root, tcpreplay and tcpdump.
 * usage: live-capture.ts [--rate 100000] [--seconds 10] [--agent]
 *   without --agent: capture and flow meter in this process; with it: the whole `picket-agent run`, mode simulate
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeCapture } from './capture/write-capture.ts';
import { CaptureNetwork } from './live/capture-network.ts';
import { treeFigures } from './live/process-tree.ts';
import { WatchedAgent } from './live/watched-agent.ts';
import { MeteringChild } from './live/metering-child.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '10' },
    agent: { type: 'boolean', default: false },
  },
});
const rate = Number(values.rate);
const packets = Math.round(rate * Number(values.seconds));

async function throughAgent(network: CaptureNetwork, file: string, folder: string): Promise<object> {
  await using agent = await WatchedAgent.start(network, folder);
  const before = treeFigures(agent.pid);
  const sent = await network.replay(file, rate);
  const { health } = await agent.settled(sent.packets);
  const after = treeFigures(agent.pid);
  const { capture, flows, detection, memory } = health;
  return {
    sent,
    capture,
    flows,
    detection,
    memory,
    cpu_seconds: rounded(after.cpuSeconds - before.cpuSeconds),
    cpu_seconds_of_tcpdump: rounded(after.tcpdumpCpuSeconds - before.tcpdumpCpuSeconds),
    rss_mib: after.rssMib,
  };
}

async function throughMeter(network: CaptureNetwork, file: string): Promise<object> {
  await using meter = await MeteringChild.start(network);
  const before = treeFigures(meter.pid);
  const sent = await network.replay(file, rate);
  const result = await meter.finish(sent.packets);
  const after = result.tree;
  return {
    sent,
    ...result.figures,
    lost: sent.packets - result.figures.received,
    cpu_seconds: rounded(after.cpuSeconds - before.cpuSeconds),
    cpu_seconds_of_tcpdump: rounded(after.tcpdumpCpuSeconds - before.tcpdumpCpuSeconds),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

const folder = await mkdtemp(join(tmpdir(), 'picket-bench-'));
try {
  const file = join(folder, 'mixed.pcap');
  const written = await writeCapture(file, packets);
  await using network = await CaptureNetwork.open();
  const result = values.agent ? await throughAgent(network, file, folder) : await throughMeter(network, file);
  console.log(
    JSON.stringify(
      {
        mode: values.agent ? 'agent' : 'meter',
        rate,
        mean_frame_bytes: Math.round((written.bytes - 24) / written.packets - 16),
        ...result,
        load: loadavg()[0],
      },
      null,
      2,
    ),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
