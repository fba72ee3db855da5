/**
 * Outside hosts that each device was seen to talk to while all was well: its cloud, its resolver. Whoever speaks in its
 * name on the same link is not to have it cut from them. Times are packet times in µs.
 */
import { BoundedMap } from './bounded-map.ts';
import { macsOf, type JudgedFlow, type JudgedWindow } from './judged-window.ts';
import { isAnswered } from './partners.ts';
import { outsideSource } from './source-prefix.ts';
import { isAnswerToUnseen } from './unseen-opening.ts';

/** Some devices say something once a day. */
const memoryUs = 26 * 3600 * 1e6;
const tcp = 6;

export class KnownDestinations {
  readonly #knownAtUs: BoundedMap<string, number>;

  constructor(capacity: number) {
    this.#knownAtUs = new BoundedMap(capacity);
  }

  get evicted(): number {
    return this.#knownAtUs.evicted;
  }

  /** Of peaceful windows in which nobody else spoke in the device's name. */
  note({ device, flows, atUs, score, threshold }: JudgedWindow): void {
    if (score >= threshold || macsOf(flows, device.address).length > 1) return;
    for (const flow of flows) {
      const isOwn = flow.direction === 'outbound' && flow.srcIp === device.address && flow.isRelayed !== true;
      if (isOwn && isAnswered(flow) && !isAnswerToUnseen(flow))
        this.#knownAtUs.set(keyOf(device.address, flow.dstIp), atUs);
    }
  }

  has(device: string, peer: string, nowUs: number): boolean {
    const knownAtUs = this.#knownAtUs.get(keyOf(device, peer));
    return knownAtUs !== undefined && Math.abs(nowUs - knownAtUs) < memoryUs;
  }
}

/**
 * The MACs that spoke under this address in conversations which the peer answered with data. No forger can have one: what
 * the peer says first, and waits to hear again, goes to the host that holds the address, which knows nothing of it.
 */
export function conversingMacs(flows: readonly JudgedFlow[], address: string, peer: string): readonly string[] {
  return macsOf(
    flows.filter(
      ({ dstIp, protocol, fwdPackets, bwdBytes }) =>
        dstIp === peer && protocol === tcp && fwdPackets >= 3 && bwdBytes > 0,
    ),
    address,
  );
}

function keyOf(device: string, peer: string): string {
  return `${device} ${outsideSource(peer).value}`;
}
