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
  /** They came from more than one address, or went to more than one. */
  readonly hasSources: boolean;
  readonly hasTargets: boolean;
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
  hasSources: boolean;
  hasTargets: boolean;
  /** Of the first flow's addresses, hashed. */
  source: number;
  target: number;
}

const nothing: Count = {
  flows: 0,
  sinceUs: 0,
  untilUs: Number.NEGATIVE_INFINITY,
  hasSources: false,
  hasTargets: false,
  source: 0,
  target: 0,
};
interface ServiceCount extends Count {
  protocol: number;
  dstPort: number;
  direction: FlowDirection;
}

export class BurstCounter {
  readonly #all: Count = { ...nothing };
  readonly #services: ServiceCount[] = [];

  /** The first hand-over of a flow; later reports of it do not count. */
  add(batch: FlowBatch, row: number, direction: FlowDirection): void {
    const source = addressHash(batch.srcAddress, row * 16);
    const target = addressHash(batch.dstAddress, row * 16);
    const service = this.#serviceOf(batch.protocol[row]!, batch.dstPort[row]!, direction);
    count(this.#all, batch.startedAtUs[row]!, batch.lastPacketAtUs[row]!, source, target);
    count(service, batch.startedAtUs[row]!, batch.lastPacketAtUs[row]!, source, target);
  }

  get current(): DeviceBurst {
    let largest = this.#services[0];
    for (const service of this.#services) if (largest === undefined || service.flows > largest.flows) largest = service;
    const service = largest ?? { ...this.#all, protocol: 0, dstPort: 0 };
    return {
      ...burstOf(this.#all),
      service: { ...burstOf(service), protocol: service.protocol, dstPort: service.dstPort },
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
    const fresh = { ...nothing, protocol, dstPort, direction };
    if (quietest === undefined || this.#services.length < maxServices) {
      this.#services.push(fresh);
      return fresh;
    }
    return Object.assign(quietest, fresh);
  }
}

function burstOf({ flows, sinceUs, untilUs, hasSources, hasTargets }: Count): FlowBurst {
  return { flows, sinceUs, untilUs, hasSources, hasTargets };
}

function count(into: Count, startedAtUs: number, lastPacketAtUs: number, source: number, target: number): void {
  if (Math.abs(lastPacketAtUs - into.untilUs) > pauseUs) {
    Object.assign(into, nothing, { sinceUs: startedAtUs, untilUs: lastPacketAtUs, source, target });
  }
  into.flows += 1;
  into.sinceUs = Math.min(into.sinceUs, startedAtUs);
  into.untilUs = Math.max(into.untilUs, lastPacketAtUs);
  into.hasSources ||= source !== into.source;
  into.hasTargets ||= target !== into.target;
}

/** FNV-1a over the 16 bytes of an address: told apart well enough for a sentence. */
export function addressHash(addresses: Uint8Array, at: number): number {
  let hash = 0x811c9dc5;
  for (let index = at; index < at + 16; index++) hash = Math.imul(hash ^ addresses[index]!, 0x01000193);
  return hash;
}
