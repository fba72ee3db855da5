/**
 * How many new flows a device had in one go, beyond the ten of its window: in all, and per service. An alert that says
 * "412 new connections" counts here. A few numbers per device, updated once per flow.
 */
import type { FlowDirection } from '@picket/shared/contract/address';
import type { FlowBatch } from '../features/flow-batch.ts';

/** New flows that followed each other without a pause of ten seconds. */
export interface FlowBurst {
  readonly flows: number;
  /** Start of the first, last packet of the last; packet time in µs. */
  readonly sinceUs: number;
  readonly untilUs: number;
}

export interface ServiceBurst extends FlowBurst {
  /** IP protocol number. */
  readonly protocol: number;
  readonly dstPort: number;
}

export interface DeviceBurst extends FlowBurst {
  /** The service that most of them went to, and how many did. */
  readonly service: ServiceBurst;
}

const pauseUs = 10_000_000;
const maxServices = 4;

interface Count {
  flows: number;
  sinceUs: number;
  untilUs: number;
}
interface ServiceCount extends Count {
  protocol: number;
  dstPort: number;
  direction: FlowDirection;
}

export class BurstCounter {
  readonly #all: Count = { flows: 0, sinceUs: 0, untilUs: Number.NEGATIVE_INFINITY };
  readonly #services: ServiceCount[] = [];

  /** The first hand-over of a flow; later reports of it do not count. */
  add(batch: FlowBatch, row: number, direction: FlowDirection): void {
    const startedAtUs = batch.startedAtUs[row]!;
    const lastPacketAtUs = batch.lastPacketAtUs[row]!;
    count(this.#all, startedAtUs, lastPacketAtUs);
    count(this.#serviceOf(batch.protocol[row]!, batch.dstPort[row]!, direction), startedAtUs, lastPacketAtUs);
  }

  get current(): DeviceBurst {
    let largest = this.#services[0];
    for (const service of this.#services) if (largest === undefined || service.flows > largest.flows) largest = service;
    const service = largest ?? { ...this.#all, protocol: 0, dstPort: 0 };
    return {
      ...this.#all,
      service: {
        flows: service.flows,
        sinceUs: service.sinceUs,
        untilUs: service.untilUs,
        protocol: service.protocol,
        dstPort: service.dstPort,
      },
    };
  }

  /** Where every place is taken the service that was quiet for longest gives its up. */
  #serviceOf(protocol: number, dstPort: number, direction: FlowDirection): ServiceCount {
    let quietest: ServiceCount | undefined;
    for (const service of this.#services) {
      if (service.protocol === protocol && service.dstPort === dstPort && service.direction === direction)
        return service;
      if (quietest === undefined || service.untilUs < quietest.untilUs) quietest = service;
    }
    const fresh = { flows: 0, sinceUs: 0, untilUs: Number.NEGATIVE_INFINITY, protocol, dstPort, direction };
    if (quietest === undefined || this.#services.length < maxServices) {
      this.#services.push(fresh);
      return fresh;
    }
    return Object.assign(quietest, fresh);
  }
}

function count(into: Count, startedAtUs: number, lastPacketAtUs: number): void {
  if (Math.abs(lastPacketAtUs - into.untilUs) > pauseUs) {
    into.flows = 0;
    into.sinceUs = startedAtUs;
    into.untilUs = lastPacketAtUs;
  }
  into.flows += 1;
  into.sinceUs = Math.min(into.sinceUs, startedAtUs);
  into.untilUs = Math.max(into.untilUs, lastPacketAtUs);
}
