/**
 * One measurement of the meter with many flows open: CPU time per packet and memory per flow. Prints a GrowthSample.
 * usage: node --expose-gc growth-child.ts FLOWS random|skewed reference|live PACKETS
 */
import { FlowMeter } from '../../agent/src/features/flow-meter.ts';
import { inlineDeeply } from '../../agent/src/features/inline-deeply.ts';
import type { FlowEndings } from '../../agent/src/flow/flow-semantics.ts';
import { type ArrivalOrder, LiveFlowTraffic } from '../../agent/src/testing/live-flow-traffic.ts';
import type { GrowthSample } from './growth-sample.ts';

const startUs = 1_700_000_000_000_000;
const [flowsText, order, endings, packetsText] = process.argv.slice(2) as [string, ArrivalOrder, FlowEndings, string];
const flows = Number(flowsText);
const packets = Number(packetsText);

inlineDeeply();
// The compiler's work, and the memory that the program needs anyway.
measure(1000, 500_000);
console.log(JSON.stringify(measure(flows, packets)));

function measure(live: number, steadyPackets: number): GrowthSample {
  const traffic = new LiveFlowTraffic(live, order, startUs);
  const before = memory();
  let handedOver = 0;
  const meter = FlowMeter.create({ profile: 'fixed', endings, capacity: live }, (batch) => {
    handedOver += batch.count;
  });
  const opening = cpuOf(() => traffic.opening(), meter);
  const opened = memory();
  traffic.pause(1_200_000); // the first reports of all flows
  meter.advanceTo(traffic.timeUs);
  meter.flush();
  cpuOf(() => traffic.speaking(Math.min(500_000, live * 2)), meter);
  meter.flush();
  const packetsBefore = meter.counters.packets;
  const handedOverBefore = handedOver;
  const steady = cpuOf(() => traffic.speaking(steadyPackets), meter);
  meter.flush();
  const { active, packets: packetsAfter } = meter.counters;
  if (active !== live) throw new Error(`${active} flows are open, not ${live}`);
  return {
    nanosecondsPerPacket: (steady * 1e9) / (packetsAfter - packetsBefore),
    nanosecondsPerNewFlow: (opening * 1e9) / live,
    handedOver: handedOver - handedOverBefore,
    residentBytesPerFlow: (opened.rss - before.rss) / live,
    allocatedBytesPerFlow: (opened.arrayBuffers - before.arrayBuffers) / live,
  };
}

/** CPU seconds of metering; making the packets is left out. */
function cpuOf(chunks: () => ReturnType<LiveFlowTraffic['opening']>, meter: FlowMeter): number {
  let microseconds = 0;
  for (const chunk of chunks()) {
    const before = process.cpuUsage();
    meter.add(chunk);
    const { user, system } = process.cpuUsage(before);
    microseconds += user + system;
  }
  return microseconds / 1e6;
}

function memory(): NodeJS.MemoryUsage {
  (globalThis.gc as () => void)();
  return process.memoryUsage();
}
