/** Chunks in, batches of flows with their features out: the meter and the extractor of one profile put together. */
import type { FeatureProfile } from '@picket/shared/features/feature-profile';
import { featureCount } from '@picket/shared/features/feature-schema';
import type { Chunk } from '../capture/packet-source.ts';
import type { FlowEndCode } from '../flow/flow-ending.ts';
import { flowField, flowInt, recordInts, recordWords } from '../flow/flow-fields.ts';
import { FlowAssembler } from '../flow/flow-assembler.ts';
import type { FlowCounters } from '../flow/flow-counters.ts';
import type { FlowEndings } from '../flow/flow-semantics.ts';
import type { ReportPace } from '../flow/report-pace.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { ipProtocol } from '../packet/packet-fields.ts';
import { type ExtractFeatures, featureExtractor } from './extract-features.ts';
import { createFlowBatch, type FlowBatch } from './flow-batch.ts';
import { profileSemantics } from './profile-semantics.ts';

export interface FlowMeterOptions {
  readonly profile: FeatureProfile;
  readonly endings: FlowEndings;
  /** Most flows open at a time; about 0.6 KiB each once used. Default 65,536. */
  readonly capacity?: number;
  /** How often a living flow is reported. */
  readonly reportPace?: ReportPace;
  /** Flows in one batch. Default 512. */
  readonly batchSize?: number;
}

/** Takes a batch for good: it is not written again unless it is given back, so its buffers may be transferred. */
export type FlowSink = (batch: FlowBatch) => void;

export class FlowMeter {
  readonly #assembler: FlowAssembler;
  readonly #extract: ExtractFeatures;
  readonly #sink: FlowSink;
  readonly #batchSize: number;
  #batch: FlowBatch & { count: number };
  /** Batches that came back; there are never more of them than were under way at once. */
  readonly #returned: (FlowBatch & { count: number })[] = [];

  private constructor(options: FlowMeterOptions, sink: FlowSink, hashSeed: number) {
    this.#sink = sink;
    this.#batchSize = options.batchSize ?? 512;
    this.#batch = createFlowBatch(this.#batchSize);
    this.#extract = featureExtractor(options.profile);
    this.#assembler = new FlowAssembler(
      {
        semantics: profileSemantics[options.profile],
        endings: options.endings,
        capacity: options.capacity ?? 65_536,
        hashSeed,
        ...(options.reportPace === undefined ? {} : { reportPace: options.reportPace }),
      },
      (table, slot, end, reportNumber) => this.#take(table, slot, end, reportNumber),
    );
  }

  static create(options: FlowMeterOptions, sink: FlowSink): FlowMeter {
    return new FlowMeter(options, sink, crypto.getRandomValues(new Int32Array(1))[0]!);
  }

  get counters(): FlowCounters {
    return this.#assembler.counters;
  }

  /** Meter a chunk; full batches go to the sink before this returns. */
  add(chunk: Chunk): void {
    this.#assembler.add(chunk);
  }

  /** Let packet time pass on a silent interface; see FlowAssembler. */
  advanceTo(timeUs: number): void {
    this.#assembler.advanceTo(timeUs);
  }

  /** Hand the flows that wait for their batch to fill to the sink. */
  flush(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    // A batch is large; a few flows travel in one of their size.
    if (batch.count <= this.#batchSize / 2) {
      this.#sink(firstRows(batch));
      batch.count = 0;
    } else {
      const next = this.#returned.pop() ?? createFlowBatch(this.#batchSize);
      next.count = 0;
      this.#batch = next;
      this.#sink(batch);
    }
  }

  /** A batch that nobody reads any more: it is filled again. Without this a new one is allocated for each. */
  giveBack(batch: FlowBatch): void {
    if (batch.features.length === this.#batchSize * featureCount) this.#returned.push(batch);
  }

  /** The input is over: hand over every flow. */
  finish(): void {
    this.#assembler.finish();
    this.flush();
  }

  #take(table: FlowTable, slot: number, end: FlowEndCode, reportNumber: number): void {
    const batch = this.#batch;
    const row = batch.count++;
    const { values, ints } = table.records;
    const record = slot * recordWords;
    const key = slot * recordInts;
    const lowIsSource = table.lowIsSource(slot) === 1;
    const ports = ints[key + flowInt.keyPorts]!;
    const protocol = table.protocols[slot]!;
    const dstPort = lowIsSource ? ports & 0xffff : ports >>> 16;
    batch.startedAtUs[row] = values[record + flowField.startedAtUs]!;
    batch.lastPacketAtUs[row] = values[record + flowField.lastPacketAtUs]!;
    batch.handedOverAtUs[row] = this.#assembler.clockUs;
    batch.flowNumber[row] = values[record + flowField.flowNumber]!;
    batch.reportNumber[row] = reportNumber;
    batch.end[row] = end;
    batch.family[row] = ints[key + flowInt.keyProtocolAndFamily]! & 0xff;
    batch.protocol[row] = protocol;
    batch.icmp[row] = protocol === ipProtocol.icmp || protocol === ipProtocol.icmp6 ? table.icmp[slot]! : 0;
    batch.srcPort[row] = lowIsSource ? ports >>> 16 : ports & 0xffff;
    batch.dstPort[row] = dstPort;
    writeAddress(ints, key, lowIsSource, batch.srcAddress, row * 16);
    writeAddress(ints, key, !lowIsSource, batch.dstAddress, row * 16);
    for (let i = 0; i < 6; i++) {
      batch.srcMac[row * 6 + i] = table.macs[slot * 12 + i]!;
      batch.dstMac[row * 6 + i] = table.macs[slot * 12 + 6 + i]!;
    }
    this.#extract(table.records, slot, dstPort, protocol, batch.features, row * featureCount);
    if (batch.count === this.#batchSize) this.flush();
  }
}

function firstRows(batch: FlowBatch): FlowBatch {
  const { count } = batch;
  return {
    count,
    features: batch.features.slice(0, count * featureCount),
    startedAtUs: batch.startedAtUs.slice(0, count),
    lastPacketAtUs: batch.lastPacketAtUs.slice(0, count),
    handedOverAtUs: batch.handedOverAtUs.slice(0, count),
    flowNumber: batch.flowNumber.slice(0, count),
    reportNumber: batch.reportNumber.slice(0, count),
    end: batch.end.slice(0, count),
    srcAddress: batch.srcAddress.slice(0, count * 16),
    dstAddress: batch.dstAddress.slice(0, count * 16),
    family: batch.family.slice(0, count),
    srcPort: batch.srcPort.slice(0, count),
    dstPort: batch.dstPort.slice(0, count),
    protocol: batch.protocol.slice(0, count),
    icmp: batch.icmp.slice(0, count),
    srcMac: batch.srcMac.slice(0, count * 6),
    dstMac: batch.dstMac.slice(0, count * 6),
  };
}

/** The address of the smaller end (`low`) or of the larger one, from the key that begins at `key`. */
function writeAddress(ints: Int32Array, key: number, low: boolean, to: Uint8Array, target: number): void {
  const rest = key + flowInt.keyRest + (low ? 0 : 3);
  writeWord(ints[rest]!, to, target);
  writeWord(ints[rest + 1]!, to, target + 4);
  writeWord(ints[rest + 2]!, to, target + 8);
  writeWord(ints[key + (low ? flowInt.keyLow : flowInt.keyHigh)]!, to, target + 12);
}

function writeWord(word: number, to: Uint8Array, target: number): void {
  to[target] = word >>> 24;
  to[target + 1] = word >>> 16;
  to[target + 2] = word >>> 8;
  to[target + 3] = word;
}
