/**
 * The windows of all devices, and which of them are due to be scored: those that changed, at most four times a second
 * of packet time each. When a window is due depends on the order of flows alone, never on how they were batched or on
 * a clock, so that a replayed capture is scored as it was live.
 *
 * Windows one flow apart share nine of ten flows, so a window counts as evidence only where enough of it is new: five
 * flows that are new or updated, or one living flow that a flood may hide in. Such a flow is reported every 5 s, and
 * waiting for five reports would let the flood run for twenty seconds; so a report of it that brings 64 packets since
 * the one before, at 50 a second or more, is as fresh as five flows. What ended, and what trickles, counts one each.
 */
import type { DeviceRef, FlowDirection, TrafficSource } from '@picket/shared/contract/address';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, unknownFlowContext } from '@picket/shared/features/flow-context';
import type { WindowBatch } from '../detection/detector.ts';
import type { Device } from '../devices/device-registry.ts';
import type { FlowBatch } from '../features/flow-batch.ts';
import { DeviceWindow } from './device-window.ts';
import { BurstCounter, type DeviceBurst } from './flow-burst.ts';
import { writeContextOf } from './flow-context.ts';
import type { WindowFlow } from './window-flow.ts';

export interface DeviceWindowsOptions {
  readonly source: TrafficSource;
  /** Devices whose windows are kept. */
  readonly capacity?: number;
  /** Due windows that may wait to be taken. */
  readonly maxDue?: number;
}

/** What stands beside one window of a batch: plain values, fit to cross to another thread. */
export interface WindowContext {
  readonly device: DeviceRef;
  /** Packet time of the newest flow, µs since 1970. */
  readonly atUs: number;
  readonly flowsSeen: number;
  /** New or updated flows since the last window of this device that counted as evidence. */
  readonly freshFlows: number;
  /** Enough of it is new to count for N of M: `freshFlows` ≥ 5, or a living flow grew like a flood since then. */
  readonly countsAsEvidence: boolean;
  /** Oldest first. */
  readonly flows: readonly WindowFlow[];
  /** New flows of the device beyond the window's ten. */
  readonly burst: DeviceBurst;
  readonly source: TrafficSource;
}

/** `contexts[i]` belongs to window i of the batch. */
export interface DueWindows {
  readonly batch: WindowBatch;
  readonly contexts: readonly WindowContext[];
}

/** So many new or updated flows make independent evidence. */
export const minFreshFlows = 5;

const restUs = 250_000;
/**
 * Flows end up to two minutes after their last packet; time further back than this means that the clock was set. No
 * larger than it must be: until time has come this far again, no device would be scored.
 */
const clockWasSetUs = 150_000_000;
const windowSize = windowLength * featureCount;

interface Entry {
  readonly device: Device;
  readonly window: DeviceWindow;
  readonly bursts: BurstCounter;
  scoredAtUs: number;
  freshFlows: number;
  /** A living flow grew like a flood since the last window that counted. */
  surged: boolean;
}

export class DeviceWindows {
  readonly #source: TrafficSource;
  #capacity: number;
  readonly #maxDue: number;
  /** Least recently changed first. */
  readonly #entries = new Map<Device, Entry>();
  #newest: Device | undefined;
  /** Changed, but scored less than a quarter second ago; in the order in which they changed. */
  readonly #waiting = new Set<Entry>();
  #due: { readonly features: Float32Array; readonly context: WindowContext }[] = [];
  #nowUs = 0;
  #evicted = 0;
  #dropped = 0;

  constructor(options: DeviceWindowsOptions) {
    this.#source = options.source;
    this.#capacity = options.capacity ?? 4096;
    this.#maxDue = options.maxDue ?? 2048;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Devices whose window was given up for others. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Keep the windows of so many devices from now on; those that changed least recently go first. */
  useCapacity(devices: number): void {
    this.#capacity = devices;
    while (this.#entries.size > devices) this.#evictOldest();
  }

  /** Due windows that were given up because nobody took them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** One flow, or a report of one, of this device. */
  add(batch: FlowBatch, row: number, device: Device, direction: FlowDirection): void {
    this.#setClock(batch.lastPacketAtUs[row]!);
    const entry = this.#entryOf(device);
    if (batch.reportNumber[row] === 0) entry.bursts.add(batch, row, direction);
    const change = entry.window.add(batch, row, direction);
    if (change !== 'none') {
      entry.freshFlows += 1;
      if (change === 'surge') entry.surged = true;
      if (this.#nowUs - entry.scoredAtUs >= restUs) this.#makeDue(entry);
      else this.#waiting.add(entry);
    }
    this.#endRests();
  }

  /** It is at least this late by packet time: windows that had to rest become due. */
  advance(nowUs: number): void {
    this.#setClock(nowUs);
    this.#endRests();
  }

  /** The input has ended: everything that changed is due. */
  finish(): void {
    for (const entry of this.#waiting) this.#makeDue(entry);
  }

  /** Up to `limit` due windows, oldest first; undefined when none is. */
  takeDue(limit = 256): DueWindows | undefined {
    const taken = this.#due.splice(0, limit);
    if (taken.length === 0) return undefined;
    const windows = new Float32Array(taken.length * windowSize);
    const flowsSeen = new Uint8Array(taken.length);
    const flowContext = unknownFlowContext(taken.length);
    for (const [index, { features, context }] of taken.entries()) {
      windows.set(features, index * windowSize);
      flowsSeen[index] = context.flowsSeen;
      writeContextOf(context, flowContext, index * flowContextSize);
    }
    return {
      batch: { count: taken.length, windows, flowsSeen, flowContext },
      contexts: taken.map(({ context }) => context),
    };
  }

  #setClock(nowUs: number): void {
    if (nowUs < this.#nowUs - clockWasSetUs) {
      this.#nowUs = nowUs;
      for (const entry of this.#entries.values()) entry.scoredAtUs = Number.NEGATIVE_INFINITY;
    }
    if (nowUs > this.#nowUs) this.#nowUs = nowUs;
  }

  #endRests(): void {
    for (const entry of this.#waiting) {
      if (this.#nowUs - entry.scoredAtUs < restUs) break;
      this.#makeDue(entry);
    }
  }

  #entryOf(device: Device): Entry {
    const known = this.#entries.get(device);
    // To move an entry to the end of a large map costs microseconds, and a flood is of one device.
    if (known !== undefined && this.#newest === device) return known;
    this.#newest = device;
    const entry = known ?? {
      device,
      window: new DeviceWindow(),
      bursts: new BurstCounter(),
      scoredAtUs: Number.NEGATIVE_INFINITY,
      freshFlows: 0,
      surged: false,
    };
    this.#entries.delete(device);
    this.#entries.set(device, entry);
    if (this.#entries.size > this.#capacity) this.#evictOldest();
    return entry;
  }

  #evictOldest(): void {
    for (const [device, entry] of this.#entries) {
      this.#entries.delete(device);
      this.#waiting.delete(entry);
      this.#evicted += 1;
      break;
    }
  }

  #makeDue(entry: Entry): void {
    this.#waiting.delete(entry);
    entry.scoredAtUs = this.#nowUs;
    const features = new Float32Array(windowSize);
    entry.window.copyFeatures(features, 0);
    const countsAsEvidence = entry.freshFlows >= minFreshFlows || entry.surged;
    const context: WindowContext = {
      device: { address: entry.device.address, mac: entry.device.mac },
      atUs: entry.window.newestAtUs,
      flowsSeen: entry.window.flowsSeen,
      freshFlows: entry.freshFlows,
      countsAsEvidence,
      flows: entry.window.flows(),
      burst: entry.bursts.current,
      source: this.#source,
    };
    if (countsAsEvidence) {
      entry.freshFlows = 0;
      entry.surged = false;
    }
    if (this.#due.length >= this.#maxDue) {
      this.#dropped += 1;
      this.#due.shift();
    }
    this.#due.push({ features, context });
  }
}
