/** The agent's figures in one message: what it saw, what it holds, and every drop anywhere in it. */
import type { BootId } from '@picket/shared/contract/identifiers';
import type { Health } from '@picket/shared/contract/gateway';
import type { MemoryState } from './memory-watch.ts';

/** Where each part of the message comes from; asked when a message is made. */
export interface HealthSources {
  readonly bootId: BootId;
  readonly interfaceName: string;
  packets(): {
    readonly packets: number;
    readonly bytes: number;
    readonly undecodable: number;
    readonly droppedKernel: number;
    readonly restarts: number;
    readonly flows: number;
    readonly reports: number;
    readonly activeFlows: number;
    readonly evicted: number;
    readonly latePackets: number;
    readonly timeSteps: number;
    readonly droppedFlows: number;
  };
  detection(): {
    readonly windows: number;
    readonly predictions: number;
    readonly attacks: number;
    readonly dropped: number;
    readonly latencyMsMean: number;
    readonly explained: number;
    readonly unexplained: number;
    readonly bundleSwaps: number;
    readonly bundlesRefused: number;
  };
  enforcement(): Health['enforcement'];
  outbox(): Health['outbox'];
  devices(): number;
  forgotten(): NonNullable<Health['forgotten']>;
  memory(): MemoryState & { readonly withheld: number; readonly unexplained: number };
}

export function readHealth(sources: HealthSources): Health {
  const packets = sources.packets();
  const detection = sources.detection();
  const memory = sources.memory();
  return {
    at: new Date().toISOString(),
    boot_id: sources.bootId,
    uptime_seconds: process.uptime(),
    rss_bytes: process.memoryUsage.rss(),
    capture: {
      interface: sources.interfaceName,
      packets: packets.packets,
      bytes: packets.bytes,
      dropped_kernel: packets.droppedKernel,
      undecodable: packets.undecodable,
      restarts: packets.restarts,
    },
    flows: {
      active: packets.activeFlows,
      ended: packets.flows,
      reports: packets.reports,
      evicted: packets.evicted,
      dropped: packets.droppedFlows,
      late_packets: packets.latePackets,
      time_steps: packets.timeSteps,
    },
    detection: {
      windows: detection.windows,
      predictions: detection.predictions,
      attacks: detection.attacks,
      dropped: detection.dropped,
      latency_ms_mean: detection.latencyMsMean,
      explained: detection.explained,
      unexplained: detection.unexplained,
      bundle_swaps: detection.bundleSwaps,
      bundles_refused: detection.bundlesRefused,
    },
    enforcement: sources.enforcement(),
    outbox: sources.outbox(),
    devices: sources.devices(),
    forgotten: sources.forgotten(),
    memory: {
      max_bytes: memory.maxBytes,
      peak_rss_bytes: memory.peakBytes,
      shedding: [...memory.shedding],
      shed_times: memory.shedTimes,
      unexplained: memory.unexplained,
      withheld: memory.withheld,
    },
  };
}
