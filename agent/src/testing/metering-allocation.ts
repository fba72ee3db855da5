/** What the meter allocates per packet in its steady state: every packet belongs to an open flow, none is handed over. */
import { FlowMeter } from '../features/flow-meter.ts';
import { inlineDeeply } from '../features/inline-deeply.ts';
import type { FlowEndings } from '../flow/flow-semantics.ts';
import { heapBytesOf } from './heap-allocation.ts';
import { LiveFlowTraffic } from './live-flow-traffic.ts';

export interface MeteringAllocation {
  readonly packets: number;
  readonly heapBytes: number;
  /** Growth of the buffers that are held. */
  readonly bufferBytes: number;
  /** Flows and reports that were handed over meanwhile: 0, or the figure is not that of the steady state. */
  readonly handedOver: number;
}

export interface MeteringOptions {
  readonly flows: number;
  readonly packets: number;
  readonly endings: FlowEndings;
  /** Stands around the counted part, for a profiler. */
  readonly around?: (counted: () => void) => void;
}

/** Packets that are metered first, until the compiler has seen everything. */
const warmUpPackets = 500_000;

export function meteringAllocation(options: MeteringOptions): MeteringAllocation {
  inlineDeeply(); // compiled as the agent's packet thread is
  const { flows, packets, endings } = options;
  const around = options.around ?? ((counted: () => void): void => counted());
  const traffic = new LiveFlowTraffic(flows, 'random', 1_700_000_000_000_000);
  let handedOver = 0;
  const meter = FlowMeter.create({ profile: 'fixed', endings, capacity: flows }, (batch) => {
    handedOver += batch.count;
  });
  for (const chunk of traffic.opening()) meter.add(chunk);
  for (const chunk of traffic.speaking(warmUpPackets)) meter.add(chunk);
  traffic.pause(600_000); // the first reports of all flows; their next are due 5 s later
  for (const chunk of traffic.speaking(warmUpPackets)) meter.add(chunk);
  meter.flush();
  const handedOverBefore = handedOver;
  const packetsBefore = meter.counters.packets;
  const buffersBefore = process.memoryUsage().arrayBuffers;
  let heapBytes = 0;
  around(() => {
    heapBytes = heapBytesOf(() => {
      for (const chunk of traffic.speaking(packets)) meter.add(chunk);
    });
  });
  const bufferBytes = process.memoryUsage().arrayBuffers - buffersBefore;
  meter.flush();
  return {
    packets: meter.counters.packets - packetsBefore,
    heapBytes,
    bufferBytes,
    handedOver: handedOver - handedOverBefore,
  };
}
