/**
 * The latest ten flows of one device, oldest first. A report of a flow that is still in the window replaces its own
 * slot and keeps its place; a flow that left the window enters anew.
 */
import type { FlowDirection } from '@picket/shared/contract/address';
import { FlowEnd } from '@picket/shared/contract/flow';
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { normaliseFeatures } from '@picket/shared/features/normalise-features';
import { addressText, macKey, macOfKey } from '../devices/flow-address.ts';
import type { FlowBatch } from '../features/flow-batch.ts';
import { type Familiarity, RecentFlows } from '@picket/shared/features/recent-flows';
import { mostPassed } from '@picket/shared/features/scoring-pace';
import { addressHash } from './flow-burst.ts';
import type { WindowFlow } from './window-flow.ts';

const fwdPackets = featureNames.indexOf('Total Fwd Packets');
const bwdPackets = featureNames.indexOf('Total Backward Packets');
const fwdBytes = featureNames.indexOf('Total Length of Fwd Packets');
const bwdBytes = featureNames.indexOf('Total Length of Bwd Packets');
const synPackets = featureNames.indexOf('SYN Flag Count');
const ackPackets = featureNames.indexOf('ACK Flag Count');

/** `none`: a later report of the same flow is here already. `surge`: a living flow brings as much as a flood would. */
export type WindowChange = 'none' | 'update' | 'surge';

/** As many as a flow first reports itself for, and no slower than this: a flood, or a stream as strong as one. */
const surgePackets = 64;
const surgePacketsPerSecond = 50;
const reportCode = FlowEnd.options.indexOf('report');

export class DeviceWindow {
  readonly #features = new Float32Array(windowLength * featureCount);
  /** Raw addresses, source then destination; text is made when a window is handed out, and kept with its slot. */
  readonly #addresses = new Uint8Array(windowLength * 32);
  readonly #slots: Slot[] = [];
  readonly #passed: WindowFlow[] = [];
  #recent = new RecentFlows();

  get flowsSeen(): number {
    return this.#slots.length;
  }

  /** Packet time of the newest flow, µs. */
  get newestAtUs(): number {
    let newest = 0;
    for (const slot of this.#slots) newest = Math.max(newest, slot.lastPacketAtUs);
    return newest;
  }

  /** See `RecentFlows`. */
  familiarityAt(nowUs: number): Familiarity {
    return this.#recent.familiarityAt(nowUs);
  }

  /** See `RecentFlows`. */
  resume(before: Familiarity, atUs: number): void {
    this.#recent.resume(before, atUs);
  }

  /** It is another device that has the address: from here on nobody is known. Flows that are in the window stay as they were told. */
  forgetFamiliarity(): void {
    this.#recent = new RecentFlows();
  }

  /** A flow, or a report of one, takes its slot. */
  add(batch: FlowBatch, row: number, direction: FlowDirection, isRelayed = false): WindowChange {
    const flowNumber = batch.flowNumber[row]!;
    // The device is one end of all its flows, so the pair names the peer.
    const peer = addressHash(batch.srcAddress, row * 16) ^ addressHash(batch.dstAddress, row * 16);
    const isNew = batch.reportNumber[row] === 0;
    const recent = this.#recent.add(peer, isNew, batch.startedAtUs[row]!, batch.lastPacketAtUs[row]!);
    let slot = this.#slotOf(flowNumber);
    if (slot !== undefined && batch.reportNumber[row]! < slot.reportNumber) return 'none';
    const change = batch.end[row] === reportCode && this.#hasSurged(batch, row, slot) ? 'surge' : 'update';
    if (slot === undefined) {
      slot = this.#slots.length < windowLength ? { ...emptySlot, index: this.#slots.length } : this.#leave();
      this.#slots.push(slot);
      slot.flowNumber = flowNumber;
      slot.srcIp = undefined;
      slot.dstIp = undefined;
      copyAddress(batch.srcAddress, row, this.#addresses, slot.index * 2);
      copyAddress(batch.dstAddress, row, this.#addresses, slot.index * 2 + 1);
    }
    slot.flow = undefined;
    slot.reportNumber = batch.reportNumber[row]!;
    slot.end = batch.end[row]!;
    slot.startedAtUs = batch.startedAtUs[row]!;
    slot.lastPacketAtUs = batch.lastPacketAtUs[row]!;
    slot.family = batch.family[row]!;
    slot.srcPort = batch.srcPort[row]!;
    slot.dstPort = batch.dstPort[row]!;
    slot.protocol = batch.protocol[row]!;
    slot.icmp = batch.icmp[row]!;
    slot.direction = direction;
    slot.isRelayed = isRelayed;
    slot.srcMac = macKey(batch.srcMac, row);
    slot.recentOfDevice = recent.ofDevice;
    slot.recentOfPeer = recent.ofPeer;
    slot.deviceSinceUs = recent.deviceSinceUs;
    slot.peerSinceUs = recent.peerSinceUs;
    normaliseFeatures(batch.features, row * featureCount, this.#features, slot.index * featureCount);
    return change;
  }

  /** The oldest flow gives up its slot; one that was not handed out as it is now is kept aside. */
  #leave(): Slot {
    const slot = this.#slots.shift()!;
    if (slot.flow === undefined && this.#passed.length < mostPassed) this.#passed.push(this.#flowOf(slot));
    return slot;
  }

  /** Flows that left since this was asked last and that no window showed, oldest first. */
  takePassed(): readonly WindowFlow[] {
    return this.#passed.splice(0);
  }

  /** Most reports are of a flow that came lately. */
  #slotOf(flowNumber: number): Slot | undefined {
    for (let at = this.#slots.length - 1; at >= 0; at--) {
      if (this.#slots[at]!.flowNumber === flowNumber) return this.#slots[at];
    }
    return undefined;
  }

  /** Measured from the report that this one replaces; of a flow that enters, from its start. */
  #hasSurged(batch: FlowBatch, row: number, before: Slot | undefined): boolean {
    const packets =
      packetsOf(batch.features, row) - (before === undefined ? 0 : packetsOf(this.#features, before.index));
    const sinceUs = before?.lastPacketAtUs ?? batch.startedAtUs[row]!;
    const seconds = (batch.lastPacketAtUs[row]! - sinceUs) / 1e6;
    return packets >= surgePackets && packets >= surgePacketsPerSecond * seconds;
  }

  /** Writes 10 × 78 values at `offset`, present flows in the last slots and 0 in those before. */
  copyFeatures(to: Float32Array, offset: number): void {
    let at = offset + (windowLength - this.#slots.length) * featureCount;
    to.fill(0, offset, at);
    for (const { index } of this.#slots) {
      const first = index * featureCount;
      for (let column = 0; column < featureCount; column++) to[at++] = this.#features[first + column]!;
    }
  }

  /** Oldest first. Windows of a device share most of their flows, and so they share these objects. */
  flows(): readonly WindowFlow[] {
    return this.#slots.map((slot) => (slot.flow ??= this.#flowOf(slot)));
  }

  #flowOf(slot: Slot): WindowFlow {
    slot.srcIp ??= addressText(this.#addresses, slot.index * 2, slot.family);
    slot.dstIp ??= addressText(this.#addresses, slot.index * 2 + 1, slot.family);
    const first = slot.index * featureCount;
    return {
      flowNumber: slot.flowNumber,
      reportNumber: slot.reportNumber,
      end: FlowEnd.options[slot.end] ?? 'report',
      startedAtUs: slot.startedAtUs,
      lastPacketAtUs: slot.lastPacketAtUs,
      srcIp: slot.srcIp,
      srcPort: slot.srcPort,
      dstIp: slot.dstIp,
      dstPort: slot.dstPort,
      protocol: slot.protocol,
      icmp: slot.icmp,
      direction: slot.direction,
      isRelayed: slot.isRelayed,
      srcMac: macOfKey(slot.srcMac),
      recentOfDevice: slot.recentOfDevice,
      recentOfPeer: slot.recentOfPeer,
      deviceSinceUs: slot.deviceSinceUs,
      peerSinceUs: slot.peerSinceUs,
      fwdPackets: this.#features[first + fwdPackets]!,
      bwdPackets: this.#features[first + bwdPackets]!,
      fwdBytes: this.#features[first + fwdBytes]!,
      bwdBytes: this.#features[first + bwdBytes]!,
      synPackets: this.#features[first + synPackets]!,
      ackPackets: this.#features[first + ackPackets]!,
    };
  }
}

function copyAddress(from: Uint8Array, row: number, to: Uint8Array, target: number): void {
  for (let at = 0; at < 16; at++) to[target * 16 + at] = from[row * 16 + at]!;
}

/** Both ways. */
function packetsOf(features: Float32Array | Float64Array, row: number): number {
  return features[row * featureCount + fwdPackets]! + features[row * featureCount + bwdPackets]!;
}

interface Slot {
  /** Place of its row in the typed arrays. */
  index: number;
  flowNumber: number;
  reportNumber: number;
  /** Index into `FlowEnd.options`. */
  end: number;
  startedAtUs: number;
  lastPacketAtUs: number;
  family: number;
  srcPort: number;
  dstPort: number;
  protocol: number;
  icmp: number;
  direction: FlowDirection;
  isRelayed: boolean;
  /** See `macKey`. */
  srcMac: number;
  recentOfDevice: number;
  recentOfPeer: number;
  deviceSinceUs: number;
  peerSinceUs: number;
  srcIp: string | undefined;
  dstIp: string | undefined;
  /** As it was handed out last; undefined once it has changed. */
  flow: WindowFlow | undefined;
}

const emptySlot: Slot = {
  index: 0,
  flowNumber: -1,
  reportNumber: 0,
  end: 0,
  startedAtUs: 0,
  lastPacketAtUs: 0,
  family: 4,
  srcPort: 0,
  dstPort: 0,
  protocol: 0,
  icmp: 0,
  direction: 'inbound',
  isRelayed: false,
  srcMac: 0,
  recentOfDevice: 0,
  recentOfPeer: 0,
  deviceSinceUs: 0,
  peerSinceUs: 0,
  srcIp: undefined,
  dstIp: undefined,
  flow: undefined,
};
