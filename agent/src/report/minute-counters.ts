/** Traffic that is not reported flow by flow, counted per device and minute of packet time. */
import type { DeviceRef, TrafficSource } from '@picket/shared/contract/address';
import type { MinuteCounters } from '@picket/shared/contract/envelope';
import { instantOf } from '../window/packet-time.ts';

const minuteUs = 60_000_000;
/** A flow may have ended so many minutes after its last packet; what lies further back came after a clock was set back. */
const lateMinutes = 3;
const nothing: readonly MinuteCounters[] = [];
/** Devices that can be counted in one minute; further ones are summed in the next free minute and counted as dropped. */
const maxDevices = 8192;

interface Row {
  readonly device: DeviceRef;
  flows: number;
  packets: number;
  bytes: number;
  predictions: number;
  attacks: number;
  maxScore: number;
}

export class MinuteCounting {
  readonly #source: TrafficSource;
  readonly #rows = new Map<string, Row>();
  #minute = -1;
  #dropped = 0;

  constructor(source: TrafficSource) {
    this.#source = source;
  }

  /** Flows and predictions that could not be counted because too many devices were seen in a minute. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A flow has ended (not: was reported while it lived, or it would be counted twice). */
  addFlow(device: DeviceRef, packets: number, bytes: number): void {
    const row = this.#rowOf(device);
    if (row === undefined) return;
    row.flows += 1;
    row.packets += packets;
    row.bytes += bytes;
  }

  addPrediction(device: DeviceRef, score: number, isAttack: boolean): void {
    const row = this.#rowOf(device);
    if (row === undefined) return;
    row.predictions += 1;
    row.maxScore = Math.max(row.maxScore, score);
    if (isAttack) row.attacks += 1;
  }

  /** It is this late by packet time (µs): the counters of the minute that is over, if one is. */
  advance(atUs: number): readonly MinuteCounters[] {
    const minute = Math.floor(atUs / minuteUs);
    if (this.#minute === -1) this.#minute = minute;
    if (minute <= this.#minute && minute >= this.#minute - lateMinutes) return nothing;
    const closed = this.close();
    this.#minute = minute;
    return closed;
  }

  /** The counters of the running minute, which begins anew. */
  close(): readonly MinuteCounters[] {
    const closed = [...this.#rows.values()].map(
      ({ device, flows, packets, bytes, predictions, attacks, maxScore }): MinuteCounters => ({
        device,
        minute: instantOf(this.#minute * minuteUs),
        flows,
        packets,
        bytes,
        predictions,
        attacks,
        max_score: maxScore,
        source: this.#source,
      }),
    );
    this.#rows.clear();
    return closed;
  }

  #rowOf(device: DeviceRef): Row | undefined {
    const known = this.#rows.get(device.address);
    if (known !== undefined) return known;
    if (this.#rows.size >= maxDevices) {
      this.#dropped += 1;
      return undefined;
    }
    const row: Row = {
      device: { address: device.address, mac: device.mac },
      flows: 0,
      packets: 0,
      bytes: 0,
      predictions: 0,
      attacks: 0,
      maxScore: 0,
    };
    this.#rows.set(device.address, row);
    return row;
  }
}
