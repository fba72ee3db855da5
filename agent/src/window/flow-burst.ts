/**
 * How many new flows a device had in one go, beyond the ten of its window: per service, per opener, and per opener and host
 * that was asked. An alert that says "412 new connections" counts here, of whom it names and of nobody else. A few numbers
 * per device, updated once per flow.
 */
import ipaddr from 'ipaddr.js';
import type { FlowDirection } from '@picket/shared/contract/address';
import type { FlowBatch } from '../features/flow-batch.ts';

/** New flows that followed each other without a pause of ten seconds. */
export interface FlowBurst {
  readonly flows: number;
  /** Start of the first, last packet of the last; packet time in µs. */
  readonly sinceUs: number;
  readonly untilUs: number;
  /** They came from more than one address, or went to more than one, or to more than one service (protocol and port). */
  readonly hasSources: boolean;
  readonly hasTargets: boolean;
  readonly hasServices: boolean;
  /** Of the first: addresses as `addressHash` has them, IP protocol number and port, and direction as the device sees it. */
  readonly source: number;
  readonly target: number;
  readonly protocol: number;
  readonly dstPort: number;
  readonly direction: FlowDirection;
}

/** Those that go on beside each other. Of each kind no more than four: the ones that were heard last. */
export interface DeviceBurst {
  /** To one service, whoever asked whom for it; in one direction as the device sees it. */
  readonly services: readonly FlowBurst[];
  /** Of one opener, whomever it asked for what. */
  readonly openers: readonly FlowBurst[];
  /** Of one opener to one host. */
  readonly pairs: readonly FlowBurst[];
}

const pauseUs = 10_000_000;
const maxOfKind = 4;

type First = Pick<FlowBurst, 'source' | 'target' | 'protocol' | 'dstPort' | 'direction'>;

type Count = { -readonly [Key in keyof FlowBurst]: FlowBurst[Key] } & {
  /** What its flows have in common. */
  key: number;
};

const directions: readonly FlowDirection[] = ['inbound', 'outbound', 'internal'];

export class BurstCounter {
  readonly #services: Count[] = [];
  readonly #openers: Count[] = [];
  readonly #pairs: Count[] = [];

  /** The first hand-over of a flow; later reports of it do not count. */
  add(batch: FlowBatch, row: number, direction: FlowDirection): void {
    const source = addressHash(batch.srcAddress, row * 16);
    const target = addressHash(batch.dstAddress, row * 16);
    const service = (batch.protocol[row]! * 65_536 + batch.dstPort[row]!) * 4 + directions.indexOf(direction);
    const first = { source, target, protocol: batch.protocol[row]!, dstPort: batch.dstPort[row]!, direction };
    const [startedAtUs, lastPacketAtUs] = [batch.startedAtUs[row]!, batch.lastPacketAtUs[row]!];
    count(this.#services, service, first, startedAtUs, lastPacketAtUs);
    count(this.#openers, source, first, startedAtUs, lastPacketAtUs);
    count(this.#pairs, Math.imul(source, 31) ^ target, first, startedAtUs, lastPacketAtUs);
  }

  get current(): DeviceBurst {
    return {
      services: this.#services.map(burstOf),
      openers: this.#openers.map(burstOf),
      pairs: this.#pairs.map(burstOf),
    };
  }
}

function burstOf({ key: _onlyHere, ...burst }: Count): FlowBurst {
  return burst;
}

function count(counts: Count[], key: number, flow: First, startedAtUs: number, lastPacketAtUs: number): void {
  const into = placeOf(counts, key);
  if (into.key !== key || Math.abs(lastPacketAtUs - into.untilUs) > pauseUs) {
    // field by field: under a flood of forged sources each flow begins another
    into.key = key;
    into.flows = 0;
    into.sinceUs = startedAtUs;
    into.untilUs = lastPacketAtUs;
    into.hasSources = false;
    into.hasTargets = false;
    into.hasServices = false;
    into.source = flow.source;
    into.target = flow.target;
    into.protocol = flow.protocol;
    into.dstPort = flow.dstPort;
    into.direction = flow.direction;
  }
  into.flows += 1;
  into.sinceUs = Math.min(into.sinceUs, startedAtUs);
  into.untilUs = Math.max(into.untilUs, lastPacketAtUs);
  into.hasSources ||= flow.source !== into.source;
  into.hasTargets ||= flow.target !== into.target;
  into.hasServices ||= flow.protocol !== into.protocol || flow.dstPort !== into.dstPort;
}

/** Where every place is taken the one that was quiet for longest gives its up. */
function placeOf(counts: Count[], key: number): Count {
  let quietest: Count | undefined;
  for (const known of counts) {
    if (known.key === key) return known;
    if (quietest === undefined || known.untilUs < quietest.untilUs) quietest = known;
  }
  if (quietest !== undefined && counts.length >= maxOfKind) return quietest;
  const fresh = newCount();
  counts.push(fresh);
  return fresh;
}

/** Belongs to no burst yet: any flow comes after a pause. */
function newCount(): Count {
  return {
    key: Number.NaN,
    flows: 0,
    sinceUs: 0,
    untilUs: Number.NEGATIVE_INFINITY,
    hasSources: false,
    hasTargets: false,
    hasServices: false,
    source: 0,
    target: 0,
    protocol: 0,
    dstPort: 0,
    direction: 'inbound',
  };
}

/** FNV-1a over the 16 bytes of an address: told apart well enough for a sentence. */
export function addressHash(addresses: Uint8Array, at: number): number {
  let hash = 0x811c9dc5;
  for (let index = at; index < at + 16; index++) hash = Math.imul(hash ^ addresses[index]!, 0x01000193);
  return hash;
}

/** The same of an address in text; it has to be one. */
export function addressHashOf(address: string): number {
  const bytes = new Uint8Array(16);
  const own = ipaddr.parse(address).toByteArray();
  bytes.set(own, bytes.length - own.length);
  return addressHash(bytes, 0);
}
