/**
 * The windows of all devices, and which of them are due to be scored: those that changed, four times a second of
 * packet time each (`ScoringPace`). When a window is due depends on the order of flows alone, never on how they were batched or on
 * a clock, so that a replayed capture is scored as it was live.
 *
 * Windows one flow apart share nine of ten flows, so a window counts as evidence only where enough of it is new: five
 * flows that are new or updated, or one living flow that a flood may hide in. Such a flow is reported every 5 s, and
 * waiting for five reports would let the flood run for twenty seconds; so a report of it that brings 64 packets since
 * the one before, at 50 a second or more, is as fresh as five flows. What ended, and what trickles, counts one each.
 */
import type { FlowDirection, TrafficSource } from '@picket/shared/contract/address';
import { ScoringPace } from '@picket/shared/features/scoring-pace';
import type { Device } from '../devices/device.ts';
import { type Listed, RecencyList } from '../devices/recency-list.ts';
import type { FlowBatch } from '../features/flow-batch.ts';
import { type DeviceFamiliarity, EarlierDevices } from './device-familiarity.ts';
import { DeviceWindow } from './device-window.ts';
import { DueQueue, type DueWindows } from './due-queue.ts';
import { BurstCounter } from './flow-burst.ts';
import type { WindowContext } from './window-context.ts';

export interface DeviceWindowsOptions {
  readonly source: TrafficSource;
  /** Devices whose windows are kept. */
  readonly capacity?: number;
  /** Due windows that may wait to be taken. */
  readonly maxDue?: number;
}

/** So many new or updated flows make independent evidence. */
export const minFreshFlows = 5;

/**
 * Hand-overs come in the order of packet time, and the host's clock is a moment ahead of them at most. What lies further
 * back was handed over after a clock had been set back: packet time begins anew there.
 */
const clockWasSetUs = 5_000_000;

interface Entry extends Listed<Entry> {
  readonly device: Device;
  readonly window: DeviceWindow;
  readonly bursts: BurstCounter;
  readonly pace: ScoringPace;
  /** Under which its peers came to be known: the first that it had, or the one of an earlier run. */
  knownMac: string | null;
  /** An earlier run knew it, and its own MAC has not shown yet whether it is the same. */
  isInherited: boolean;
  freshFlows: number;
  /** A living flow grew like a flood since the last window that counted. */
  surged: boolean;
}

export class DeviceWindows {
  readonly #source: TrafficSource;
  #capacity: number;
  /** With those of an earlier run that have not come, which take little: they stay while memory is short. */
  readonly #mostDevices: number;
  readonly #entries = new Map<Device, Entry>();
  /** Least recently changed first. */
  readonly #order = new RecencyList<Entry>();
  readonly #earlier = new EarlierDevices();
  /** Changed, but not yet due; in the order in which they changed. */
  readonly #waiting = new Set<Entry>();
  readonly #due: DueQueue;
  /** Packet time by the meter's clock. */
  #nowUs = 0;
  #evicted = 0;

  constructor(options: DeviceWindowsOptions) {
    this.#source = options.source;
    this.#capacity = options.capacity ?? 4096;
    this.#mostDevices = this.#capacity;
    this.#due = new DueQueue(options.maxDue ?? 2048);
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
    this.#makeRoom();
  }

  /** Before the first flow: what an earlier run knew, the device that was heard last first. */
  restore(latestFirst: readonly DeviceFamiliarity[]): void {
    this.#earlier.restore(latestFirst, this.#mostDevices);
  }

  /** Of these devices, and of those that an earlier run knew and that have not come; the one that was heard last first. */
  *familiarity(): Generator<DeviceFamiliarity> {
    const entries: Entry[] = [];
    for (let entry = this.#order.oldest; entry !== undefined; entry = entry.newer) entries.push(entry);
    const earlier = this.#earlier.all();
    for (const { device, knownMac, window } of entries.toReversed()) {
      yield { address: device.address, mac: knownMac, ...window.familiarityAt(this.#nowUs) };
    }
    yield* earlier;
  }

  /** Windows that wait to be taken. */
  get due(): number {
    return this.#due.waiting;
  }

  /** Due windows that were given up because nobody took them in time. */
  get dropped(): number {
    return this.#due.dropped;
  }

  /** One flow, or a report of one, of this device. `isRelayed`: see `WindowFlow`. */
  add(batch: FlowBatch, row: number, device: Device, direction: FlowDirection, isRelayed = false): void {
    this.#setClock(batch.handedOverAtUs[row]!);
    const entry = this.#entryOf(device, batch.startedAtUs[row]!);
    if (batch.reportNumber[row] === 0) entry.bursts.add(batch, row, direction);
    const change = entry.window.add(batch, row, direction, isRelayed);
    if (change !== 'none') {
      entry.freshFlows += 1;
      if (change === 'surge') entry.surged = true;
      if (entry.pace.isDue(this.#nowUs, entry.freshFlows)) this.#makeDue(entry);
      else this.#waiting.add(entry);
    }
    this.#endRests();
  }

  /** It is this late by packet time: windows that had to rest become due. */
  advance(nowUs: number): void {
    this.#setClock(nowUs);
    this.#endRests();
  }

  /** The input has ended: everything that changed is due. */
  finish(): void {
    for (const entry of this.#waiting) this.#makeDue(entry);
  }

  /** Up to `limit` due windows, oldest first; undefined when none is. Its batch is lent until the next call. */
  takeDue(limit = 256): DueWindows | undefined {
    return this.#due.take(limit);
  }

  #setClock(nowUs: number): void {
    if (nowUs < this.#nowUs - clockWasSetUs) {
      this.#nowUs = nowUs;
      for (const { pace } of this.#entries.values()) pace.reset();
    }
    if (nowUs > this.#nowUs) this.#nowUs = nowUs;
  }

  #endRests(): void {
    for (const entry of this.#waiting) {
      if (!entry.pace.hasRested(this.#nowUs)) break;
      this.#makeDue(entry);
    }
  }

  #entryOf(device: Device, startedAtUs: number): Entry {
    const known = this.#entries.get(device);
    if (known !== undefined && device.mac !== null && (known.isInherited || known.knownMac === null)) {
      if (known.knownMac !== null && known.knownMac !== device.mac) known.window.forgetFamiliarity();
      known.knownMac = device.mac;
      known.isInherited = false;
    }
    const entry = known ?? {
      device,
      window: new DeviceWindow(),
      bursts: new BurstCounter(),
      pace: new ScoringPace(),
      knownMac: device.mac,
      isInherited: false,
      freshFlows: 0,
      surged: false,
      older: undefined,
      newer: undefined,
    };
    this.#order.touch(entry);
    if (known !== undefined) return known;
    const earlier = this.#earlier.take(device);
    if (earlier !== undefined) {
      entry.window.resume(earlier, startedAtUs);
      entry.knownMac ??= earlier.mac;
      entry.isInherited = device.mac === null;
    }
    this.#entries.set(device, entry);
    this.#makeRoom();
    return entry;
  }

  #makeRoom(): void {
    while (this.#earlier.size > 0 && this.#entries.size + this.#earlier.size > this.#mostDevices)
      this.#earlier.dropOldest();
    while (this.#entries.size > this.#capacity) this.#evictOldest();
  }

  #evictOldest(): void {
    const { oldest } = this.#order;
    if (oldest === undefined) return;
    this.#order.remove(oldest);
    this.#entries.delete(oldest.device);
    this.#waiting.delete(oldest);
    this.#evicted += 1;
  }

  #makeDue(entry: Entry): void {
    this.#waiting.delete(entry);
    entry.pace.noteScored(this.#nowUs);
    const countsAsEvidence = entry.freshFlows >= minFreshFlows || entry.surged;
    const context: WindowContext = {
      device: { address: entry.device.address, mac: entry.device.mac },
      atUs: Math.min(entry.window.newestAtUs, this.#nowUs), // flows of before a clock was set back lie ahead of it
      flowsSeen: entry.window.flowsSeen,
      freshFlows: entry.freshFlows,
      countsAsEvidence,
      flows: entry.window.flows(),
      passed: entry.window.takePassed(),
      burst: entry.bursts.current,
      source: this.#source,
    };
    if (countsAsEvidence) {
      entry.freshFlows = 0;
      entry.surged = false;
    }
    this.#due.add(entry.window, context);
  }
}
