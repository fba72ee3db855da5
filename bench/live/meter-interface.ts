/** Runs on the watched host: the agent's own capture and flow meter. A line when it listens, then one of figures a second. */
import { FlowMeter } from '../../agent/src/features/flow-meter.ts';
import { inlineDeeply } from '../../agent/src/features/inline-deeply.ts';
import { TcpdumpPacketSource } from '../../agent/src/capture/tcpdump-packet-source.ts';
import { watched } from './capture-network.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { MeterFigures } from './metering-child.ts';

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

const latencies = new LatencyHistogram();
inlineDeeply();
const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) => meter.giveBack(batch));
await using source = await TcpdumpPacketSource.open({ interface: watched });
console.log('listening');
let chunks = 0;

const saying = setInterval(() => {
  const { packets, flows, reports } = meter.counters;
  const { kernel, interface: dropped } = source.drops();
  const figures: MeterFigures = {
    received: packets,
    dropped_kernel: kernel,
    dropped_interface: dropped,
    flows,
    reports,
    chunks,
    latency_ms: latencies.figures(),
  };
  console.log(JSON.stringify(figures));
}, 1000);

for await (const chunk of source.chunks(stop.signal)) {
  const nowUs = (performance.timeOrigin + performance.now()) * 1000;
  for (let row = 0; row < chunk.count; row++) latencies.add(nowUs - chunk.timesUs[row]!);
  meter.add(chunk);
  chunks += 1;
}
clearInterval(saying);
