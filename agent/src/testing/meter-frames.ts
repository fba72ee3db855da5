/** Frames through a whole meter, and its flows as a test wants to read them. */
import { FlowEnd } from '@picket/shared/contract/flow';
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import { addressText } from '../devices/flow-address.ts';
import type { FlowBatch } from '../features/flow-batch.ts';
import { FlowMeter, type FlowMeterOptions } from '../features/flow-meter.ts';
import { chunkOf, type TimedFrame } from './packet-builder.ts';

export interface MeteredFlow {
  readonly src: string;
  readonly dst: string;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly protocol: number;
  readonly startedAtUs: number;
  readonly lastPacketAtUs: number;
  readonly handedOverAtUs: number;
  readonly flowNumber: number;
  readonly reportNumber: number;
  readonly end: FlowEnd;
  /** By name in the CIC-IDS2017 tables. */
  readonly features: Readonly<Record<string, number>>;
}

/** A meter that keeps what it hands over; read `flows` after `flush` or `finish`. */
export class RecordingMeter {
  readonly flows: MeteredFlow[] = [];
  readonly meter: FlowMeter;

  constructor(options: FlowMeterOptions) {
    this.meter = FlowMeter.create(options, (batch) => this.flows.push(...flowsOf(batch)));
  }

  add(...frames: readonly TimedFrame[]): this {
    this.meter.add(chunkOf(frames));
    this.meter.flush();
    return this;
  }

  advanceTo(timeUs: number): this {
    this.meter.advanceTo(timeUs);
    this.meter.flush();
    return this;
  }

  finish(): readonly MeteredFlow[] {
    this.meter.finish();
    return this.flows;
  }
}

export function flowsOf(batch: FlowBatch): MeteredFlow[] {
  return Array.from({ length: batch.count }, (_, row) => ({
    src: addressText(batch.srcAddress, row, batch.family[row]!),
    dst: addressText(batch.dstAddress, row, batch.family[row]!),
    srcPort: batch.srcPort[row]!,
    dstPort: batch.dstPort[row]!,
    protocol: batch.protocol[row]!,
    startedAtUs: batch.startedAtUs[row]!,
    lastPacketAtUs: batch.lastPacketAtUs[row]!,
    handedOverAtUs: batch.handedOverAtUs[row]!,
    flowNumber: batch.flowNumber[row]!,
    reportNumber: batch.reportNumber[row]!,
    end: FlowEnd.options[batch.end[row]!]!,
    features: Object.fromEntries(
      featureNames.map((name, column) => [name, batch.features[row * featureCount + column]!]),
    ),
  }));
}
