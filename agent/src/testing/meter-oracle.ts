/** A meter under watch: every packet is counted once, in a counter or in one flow, and flows keep their reports in order. */
import { FlowEnd } from '@picket/shared/contract/flow';
import type { FeatureProfile } from '@picket/shared/features/feature-profile';
import type { FlowBatch } from '../features/flow-batch.ts';
import { FlowMeter } from '../features/flow-meter.ts';
import type { FlowCounters } from '../flow/flow-counters.ts';
import type { FlowEndings } from '../flow/flow-semantics.ts';
import type { Chunk } from '../capture/packet-source.ts';
import { checkFeatures } from './feature-oracle.ts';
import { Digest, holds } from './oracle.ts';
import { chunkOf, udpFrame } from './packet-builder.ts';

export interface MeterKind {
  readonly profile: FeatureProfile;
  readonly endings: FlowEndings;
}

export const meterKinds: readonly MeterKind[] = (['cic2017', 'improved2022', 'fixed'] as const).flatMap((profile) =>
  (['reference', 'live'] as const).map((endings) => ({ profile, endings })),
);

/** Two packets that no other flow has; their flow's number tells how many flows there were. */
const probe = [0, 1].map((later) => ({
  timeUs: 1_000_000_000 + later,
  frame: udpFrame({ src: '198.51.100.1', dst: '198.51.100.2', srcPort: 1, dstPort: 2 }),
}));

interface Living {
  reports: number;
  packets: number;
}

export class MeterOracle {
  readonly kind: MeterKind;
  readonly #meter: FlowMeter;
  readonly #capacity: number;
  readonly #living = new Map<number, Living>();
  readonly #flows = new Map<number, number>();
  readonly #digest = new Digest();
  #reports = 0;

  constructor(kind: MeterKind, capacity: number) {
    this.kind = kind;
    this.#capacity = capacity;
    this.#meter = FlowMeter.create({ ...kind, capacity, batchSize: 32 }, (batch) => this.#take(batch));
  }

  /** Of everything that was handed over, in order. */
  get digest(): number {
    return this.#digest.value;
  }

  add(chunk: Chunk): void {
    this.#meter.add(chunk);
    const { active } = this.#meter.counters;
    holds('bounded-table', active >= 0 && active <= this.#capacity, () => `${active} open, capacity ${this.#capacity}`);
  }

  /** The input is over; `expected`: packets by outcome, as the decoder alone sees them. */
  finish(expected: readonly number[]): void {
    this.#meter.finish();
    const { counters } = this.#meter;
    this.#checkCounters(counters, expected);
    holds('nothing-left-open', counters.active === 0, () => `${counters.active} flows open after the end`);
    holds(
      'flows-counted',
      counters.flows === this.#flows.size,
      () => `${counters.flows} counted, ${this.#flows.size} came`,
    );
    holds(
      'reports-counted',
      counters.reports === this.#reports,
      () => `${counters.reports} counted, ${this.#reports} came`,
    );
    holds('flows-end', this.#living.size === 0, () => `${this.#living.size} flows were reported and never ended`);
    const inFlows = [...this.#flows.values()].reduce((sum, packets) => sum + packets, 0);
    const leftOut = this.#singlesLeftOut();
    holds(
      'packets-conserved',
      inFlows + counters.latePackets + leftOut === expected[0],
      () =>
        `${this.#name()}: ${inFlows} in flows + ${counters.latePackets} late + ${leftOut} left out ≠ ${expected[0]} decoded`,
    );
  }

  #checkCounters(counters: FlowCounters, expected: readonly number[]): void {
    const { truncated, malformed, unsupportedLink } = counters.undecodableBy;
    const counted = [counters.notIp, truncated, malformed, unsupportedLink];
    holds(
      'outcomes-counted',
      counted.join() === expected.slice(1).join(),
      () =>
        `${this.#name()}: not IP, truncated, malformed, unsupported: ${counted.join()} counted, ${expected.slice(1).join()} seen`,
    );
    const all = expected.reduce((sum, count) => sum + count, 0);
    holds('packets-counted', counters.packets === all, () => `${counters.packets} counted, ${all} given`);
  }

  /** Flows of one packet that the oldest tool never wrote: numbers that were given and never seen. */
  #singlesLeftOut(): number {
    const seen = this.#flows.size;
    const latest = Math.max(0, ...this.#flows.keys());
    this.#meter.add(chunkOf(probe));
    this.#meter.finish();
    const begun = Math.max(...this.#flows.keys()) - 1;
    const missing = begun - seen;
    const mayLeaveOut = this.kind.profile === 'cic2017' && this.kind.endings === 'reference';
    holds(
      'flows-handed-over',
      mayLeaveOut || missing === 0,
      () => `${this.#name()}: ${begun} begun, ${seen} came (last ${latest})`,
    );
    return missing;
  }

  #take(batch: FlowBatch): void {
    const isClamped = this.kind.endings === 'live' && this.kind.profile !== 'cic2017';
    for (let row = 0; row < batch.count; row++) {
      const packets = checkFeatures(batch, row, this.kind.profile, isClamped);
      this.#checkRow(batch, row, packets);
    }
    for (const bytes of [batch.srcAddress.subarray(0, batch.count * 16), batch.srcMac.subarray(0, batch.count * 6)]) {
      this.#digest.addBytes(bytes);
    }
    for (let index = 0; index < batch.count * 78; index++) this.#digest.add(batch.features[index]! * 1000);
  }

  #checkRow(batch: FlowBatch, row: number, packets: number): void {
    const number = batch.flowNumber[row]!;
    const end = batch.end[row]!;
    const text = (): string => `${this.#name()}: flow ${number}, report ${batch.reportNumber[row]}, end ${end}`;
    const family = batch.family[row];
    holds('family', family === 4 || family === 6, text);
    holds('end-known', end < FlowEnd.options.length, text);
    holds('number-new', !this.#flows.has(number), text);
    for (const timeUs of [batch.startedAtUs[row]!, batch.lastPacketAtUs[row]!]) {
      holds('time-whole', Number.isSafeInteger(timeUs) && timeUs >= 0, () => `${text()}, time ${timeUs}`);
    }
    const before = this.#living.get(number) ?? { reports: 0, packets: 0 };
    holds('reports-in-order', batch.reportNumber[row] === before.reports, text);
    holds('reports-grow', packets >= before.packets, text);
    if (FlowEnd.options[end] === 'report') {
      this.#reports++;
      this.#living.set(number, { reports: before.reports + 1, packets });
      return;
    }
    this.#living.delete(number);
    this.#flows.set(number, packets);
  }

  #name(): string {
    return `${this.kind.profile} ${this.kind.endings}`;
  }
}
