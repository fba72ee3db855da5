/**
 * The hot loop: chunks in, flows out. Per packet it calls a few functions over typed arrays and nothing else. It does
 * no I/O and reads no clock: time comes with the packets, or from `advanceTo` while an interface is silent.
 */
import type { Chunk } from '../capture/packet-source.ts';
import { decodePacket } from '../packet/decode-packet.ts';
import { createPacketFields, field, ipProtocol, outcome, tcpFlag } from '../packet/packet-fields.ts';
import { advanceTcpState, flowEnd, type FlowEndCode, tcpState } from './flow-ending.ts';
import { directionField, flowField, recordDoubles } from './flow-fields.ts';
import { hashKey, writeKey } from './flow-key.ts';
import { addPacket, openRecord } from './flow-record.ts';
import type { FlowEndings, FlowSemantics } from './flow-semantics.ts';
import { FlowTable, keyWords, queue, slotState } from './flow-table.ts';
import { defaultReportPace, type ReportPace } from './report-pace.ts';
import { TimerWheel } from './timer-wheel.ts';

const flowTimeoutUs = 120_000_000;
const activityTimeoutUs = 5_000_000;
const tombstoneUs = 10_000_000;
/** A tombstone gives way to a new flow when more packets than this come after the end: they are no stragglers. */
const tombstonePackets = 16;
/** How many living conversations are spared before one of them is evicted. */
const evictionTries = 8;

export interface FlowAssemblerOptions {
  readonly semantics: FlowSemantics;
  readonly endings: FlowEndings;
  /** Most flows open at a time. */
  readonly capacity: number;
  /** With `live` endings. */
  readonly reportPace?: ReportPace;
  /** Of the hash; the flows do not depend on it. */
  readonly hashSeed: number;
}

/** Takes a flow out of the table: `slot` and its record are overwritten afterwards. */
export type FlowOutput = (table: FlowTable, slot: number, end: FlowEndCode, reportNumber: number) => void;

/** Totals since it was made. */
export interface FlowCounters {
  readonly packets: number;
  /** On the wire. */
  readonly bytes: number;
  readonly undecodable: number;
  readonly undecodableBy: { readonly truncated: number; readonly malformed: number; readonly unsupportedLink: number };
  readonly notIp: number;
  /** Handed over for good. */
  readonly flows: number;
  readonly reports: number;
  /** Handed over early because the table was full; counted in `flows` too. */
  readonly evicted: number;
  /** Packets of connections that were over. */
  readonly latePackets: number;
  /** Times that packet time went back by more than the flow timeout, and every flow was handed over. */
  readonly timeSteps: number;
  /** Open now. */
  readonly active: number;
}

export class FlowAssembler {
  readonly #table: FlowTable;
  readonly #output: FlowOutput;
  readonly #semantics: FlowSemantics;
  readonly #live: boolean;
  readonly #clampTime: boolean;
  readonly #reportPace: ReportPace;
  readonly #hashSeed: number;
  readonly #wheel: TimerWheel;
  readonly #fields = createPacketFields();
  readonly #key = new Int32Array(keyWords);
  /** Profile's protocol by IP protocol. */
  readonly #protocols: Uint8Array;
  readonly #fire = (slot: number, nowUs: number): void => this.#fall(slot, nowUs);
  #view = new DataView(new ArrayBuffer(0));
  #clockUs = -1;
  #nextTickUs = 0;
  readonly #outcomes = new Float64Array(Object.keys(outcome).length);
  #packets = 0;
  #bytes = 0;
  #flows = 0;
  #reports = 0;
  #evicted = 0;
  #latePackets = 0;
  #timeSteps = 0;
  #active = 0;
  #flowNumber = 0;

  constructor(options: FlowAssemblerOptions, output: FlowOutput) {
    this.#output = output;
    this.#semantics = options.semantics;
    this.#live = options.endings === 'live';
    this.#clampTime = this.#live && !options.semantics.keepBackwardTime;
    this.#reportPace = options.reportPace ?? defaultReportPace;
    this.#hashSeed = options.hashSeed | 0;
    this.#table = new FlowTable(options.capacity);
    this.#wheel = new TimerWheel(this.#live ? options.capacity : 0);
    this.#protocols = Uint8Array.from({ length: 256 }, (_, protocol) =>
      this.#live || options.semantics.protocols.has(protocol) ? protocol : 0,
    );
  }

  get counters(): FlowCounters {
    const [, notIp, truncated, malformed, unsupportedLink] = this.#outcomes as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    return {
      packets: this.#packets,
      bytes: this.#bytes,
      undecodable: truncated + malformed + unsupportedLink,
      undecodableBy: { truncated, malformed, unsupportedLink },
      notIp,
      flows: this.#flows,
      reports: this.#reports,
      evicted: this.#evicted,
      latePackets: this.#latePackets,
      timeSteps: this.#timeSteps,
      active: this.#active,
    };
  }

  /** Meter the packets of a chunk. Flows that end or are due for a report are handed over before this returns. */
  add(chunk: Chunk): void {
    if (this.#view.buffer !== chunk.bytes.buffer || this.#view.byteOffset !== chunk.bytes.byteOffset) {
      this.#view = new DataView(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.byteLength);
    }
    const { count, bytes, offsets, lengths, wireLengths, timesUs, linkTypes } = chunk;
    const view = this.#view;
    const fields = this.#fields;
    const live = this.#live;
    let wireBytes = 0;
    for (let row = 0; row < count; row++) {
      const timeUs = timesUs[row]!;
      const wireLength = wireLengths[row]!;
      wireBytes += wireLength;
      if (live && (timeUs >= this.#nextTickUs || timeUs < this.#clockUs)) this.#moveClock(timeUs);
      const result = decodePacket(bytes, view, offsets[row]!, lengths[row]!, wireLength, linkTypes[row]!, fields);
      if (result === outcome.decoded) this.#addPacket(bytes, timeUs);
      else this.#outcomes[result]!++;
    }
    this.#packets += count;
    this.#bytes += wireBytes;
  }

  /**
   * Let packet time move on to `timeUs` without a packet: what falls due until then is handed over. Only for a live
   * source; earlier times are ignored, and so is every time before the first packet.
   */
  advanceTo(timeUs: number): void {
    if (this.#live && this.#clockUs >= 0 && timeUs >= this.#nextTickUs) this.#moveClock(timeUs);
  }

  /** The input is over: hand over what is open, oldest flow first. */
  finish(): void {
    this.#handOverAll(flowEnd.endOfInput);
  }

  #moveClock(timeUs: number): void {
    if (this.#clockUs < 0) {
      this.#wheel.start(timeUs);
    } else if (timeUs < this.#clockUs) {
      if (timeUs >= this.#clockUs - flowTimeoutUs) return;
      // Nothing that is open can be measured on: the clock was set back, or another capture was put behind this one.
      this.#timeSteps++;
      this.#handOverAll(flowEnd.timeout);
      this.#wheel.start(timeUs);
    } else {
      this.#wheel.advance(timeUs, this.#fire);
    }
    this.#clockUs = timeUs;
    this.#nextTickUs = this.#wheel.nextTickUs;
  }

  #addPacket(bytes: Uint8Array, packetTimeUs: number): void {
    const fields = this.#fields;
    const table = this.#table;
    const protocol = fields[field.laterFragment] === 1 && !this.#live ? 0 : this.#protocols[fields[field.protocol]!]!;
    const sourceIsLow = writeKey(fields, protocol, this.#key);
    const hash = hashKey(this.#key, this.#hashSeed);
    const slot = table.find(this.#key, hash);
    if (slot < 0) {
      this.#insert(bytes, hash, sourceIsLow, packetTimeUs);
      return;
    }
    const slotIs = table.states[slot];
    if (slotIs === slotState.dozing) {
      this.#wake(slot, packetTimeUs);
    } else if (slotIs !== slotState.open) {
      this.#addAfterEnd(bytes, slot, hash, sourceIsLow, packetTimeUs);
      return;
    }
    const values = table.records;
    const record = slot * recordDoubles;
    const lastUs = values[record + flowField.lastPacketAtUs]!;
    const timeUs = this.#clampTime && packetTimeUs < lastUs ? lastUs : packetTimeUs;
    if (timeUs - values[record + flowField.startedAtUs]! > flowTimeoutUs) {
      this.#handOver(slot, this.#silentEnd(timeUs - lastUs));
      this.#continue(bytes, slot, sourceIsLow, timeUs);
      return;
    }
    const flags = fields[field.flags]!;
    if (flags === 0 || (flags & (tcpFlag.syn | tcpFlag.fin)) !== 0) {
      if (this.#startsAnew(slot, flags)) {
        this.#handOver(slot, this.#tcpEnd(slot));
        this.#open(bytes, slot, sourceIsLow, timeUs);
        return;
      }
      if (this.#semantics.endAtFirstFin && !this.#live && (flags & tcpFlag.fin) !== 0) {
        this.#record(slot, sourceIsLow, timeUs, false);
        this.#handOver(slot, flowEnd.closed);
        this.#release(slot);
        return;
      }
    }
    this.#record(slot, sourceIsLow, timeUs, true);
    if (flags !== 0) {
      const state = advanceTcpState(values, record, flags);
      if (state >= tcpState.closed && this.#live) {
        this.#bury(slot, timeUs);
        return;
      }
    }
    if (this.#live && values[record + flowField.reports] === 0) this.#reportIfMany(slot, timeUs);
  }

  /** A connection that is over and begins again, or an ICMP exchange of another kind. */
  #startsAnew(slot: number, flags: number): boolean {
    const fields = this.#fields;
    if ((flags & tcpFlag.syn) !== 0) return this.#isOver(slot);
    const protocol = fields[field.protocol];
    if (flags !== 0 || (protocol !== ipProtocol.icmp && protocol !== ipProtocol.icmp6)) return false;
    if (!this.#semantics.protocols.has(ipProtocol.icmp)) return false;
    const first = this.#table.icmp[slot]!;
    return first >> 8 !== fields[field.icmpType] && (first & 0xff) !== fields[field.icmpCode];
  }

  /** Both sides are done, for a meter that waits for both. */
  #isOver(slot: number): boolean {
    const state = this.#table.records[slot * recordDoubles + flowField.tcpState]!;
    return state >= tcpState.closed && !this.#semantics.endAtFirstFin;
  }

  #tcpEnd(slot: number): FlowEndCode {
    const state = this.#table.records[slot * recordDoubles + flowField.tcpState]!;
    return state === tcpState.reset ? flowEnd.reset : flowEnd.closed;
  }

  #record(slot: number, sourceIsLow: boolean, timeUs: number, withActivity: boolean): void {
    const fields = this.#fields;
    const table = this.#table;
    const record = slot * recordDoubles;
    const forward = (table.lowIsSource[slot] === 1) === sourceIsLow;
    const own = record + (forward ? flowField.forward : flowField.backward);
    if (table.records[own + directionField.packets] === 0) table.enqueue(slot, queue.answered);
    addPacket(
      table.records,
      record,
      forward,
      timeUs,
      fields[this.#semantics.countPadding ? field.paddedPayloadBytes : field.payloadBytes]!,
      fields[field.headerBytes]!,
      fields[field.flags]!,
      fields[field.window]!,
      withActivity,
    );
  }

  #insert(bytes: Uint8Array, hash: number, sourceIsLow: boolean, timeUs: number): void {
    if (this.#table.full) this.#evict(timeUs);
    const slot = this.#table.insert(this.#key, hash);
    this.#open(bytes, slot, sourceIsLow, timeUs);
  }

  /** Begin a flow that knows nothing of an earlier one. */
  #open(bytes: Uint8Array, slot: number, sourceIsLow: boolean, timeUs: number): void {
    const fields = this.#fields;
    const table = this.#table;
    const synAck = tcpFlag.syn | tcpFlag.ack;
    const turned = this.#semantics.turnSynAck && (fields[field.flags]! & synAck) === synAck;
    table.lowIsSource[slot] = sourceIsLow === turned ? 0 : 1;
    table.icmp[slot] = (fields[field.icmpType]! << 8) | fields[field.icmpCode]!;
    copyMac(bytes, fields[turned ? field.dstMacOffset : field.srcMacOffset]!, table.macs, slot * 12);
    copyMac(bytes, fields[turned ? field.srcMacOffset : field.dstMacOffset]!, table.macs, slot * 12 + 6);
    this.#begin(slot, !turned, timeUs);
  }

  /** Begin the flow that follows one which was cut at 120 s. */
  #continue(bytes: Uint8Array, slot: number, sourceIsLow: boolean, timeUs: number): void {
    const silentUs = timeUs - this.#table.records[slot * recordDoubles + flowField.lastPacketAtUs]!;
    if (this.#turnsAtCut(this.#fields[field.protocol]!, silentUs)) {
      this.#open(bytes, slot, sourceIsLow, timeUs);
      return;
    }
    const forward = this.#semantics.cutPacketIsForward || (this.#table.lowIsSource[slot] === 1) === sourceIsLow;
    this.#begin(slot, forward, timeUs);
  }

  #turnsAtCut(protocol: number, silentUs: number): boolean {
    if (protocol === ipProtocol.tcp) return false;
    if (protocol === ipProtocol.udp && this.#semantics.turnUdpAtCut === 'if-silent') return silentUs > flowTimeoutUs;
    return this.#semantics.turnUdpAtCut !== 'never';
  }

  #begin(slot: number, forward: boolean, timeUs: number): void {
    const fields = this.#fields;
    const table = this.#table;
    const record = slot * recordDoubles;
    const flags = fields[field.flags]!;
    table.states[slot] = slotState.open;
    table.protocols[slot] = this.#live ? fields[field.protocol]! : this.#key[9]! >> 8;
    table.enqueue(slot, queue.halfOpen);
    openRecord(
      table.records,
      record,
      forward,
      timeUs,
      fields[this.#semantics.countPadding ? field.paddedPayloadBytes : field.payloadBytes]!,
      fields[field.headerBytes]!,
      flags,
      fields[field.window]!,
    );
    table.records[record + flowField.flowNumber] = ++this.#flowNumber;
    this.#active++;
    const state = flags === 0 ? tcpState.open : advanceTcpState(table.records, record, flags);
    if (!this.#live) return;
    if (state === tcpState.reset) this.#bury(slot, timeUs);
    else this.#wheel.set(slot, timeUs + this.#reportPace.firstUs);
  }

  /** A packet for a slot whose flow was handed over already. */
  #addAfterEnd(bytes: Uint8Array, slot: number, hash: number, sourceIsLow: boolean, timeUs: number): void {
    const table = this.#table;
    const isCut = table.states[slot] === slotState.cut;
    if (isCut) {
      this.#wheel.clear(slot);
      this.#continue(bytes, slot, sourceIsLow, timeUs);
      return;
    }
    const isOpening = (this.#fields[field.flags]! & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
    if (!isOpening && table.latePackets[slot]! < tombstonePackets) {
      table.latePackets[slot]!++;
      this.#latePackets++;
      return;
    }
    this.#wheel.clear(slot);
    table.remove(slot);
    this.#insert(bytes, hash, sourceIsLow, timeUs);
  }

  /** A deadline of this slot has come. */
  #fall(slot: number, nowUs: number): void {
    const table = this.#table;
    if (table.states[slot] !== slotState.open && table.states[slot] !== slotState.dozing) {
      table.remove(slot);
      return;
    }
    const values = table.records;
    const record = slot * recordDoubles;
    const cutUs = values[record + flowField.startedAtUs]! + flowTimeoutUs;
    const lastUs = values[record + flowField.lastPacketAtUs]!;
    if (nowUs > cutUs) {
      this.#handOver(slot, this.#silentEnd(nowUs - lastUs));
      if (lastUs + flowTimeoutUs <= nowUs) {
        table.remove(slot);
        return;
      }
      table.states[slot] = slotState.cut;
      table.enqueue(slot, queue.over);
      this.#wheel.set(slot, lastUs + flowTimeoutUs);
      return;
    }
    if (packetsOf(values, record) === values[record + flowField.packetsAtReport]) {
      table.states[slot] = slotState.dozing;
      this.#wheel.set(slot, cutUs);
      return;
    }
    this.#report(slot);
    this.#wheel.set(slot, Math.min(nowUs + this.#reportPace.intervalUs, cutUs));
  }

  #wake(slot: number, timeUs: number): void {
    const cutUs = this.#table.records[slot * recordDoubles + flowField.startedAtUs]! + flowTimeoutUs;
    this.#table.states[slot] = slotState.open;
    this.#wheel.set(slot, Math.min(timeUs + this.#reportPace.firstUs, cutUs));
  }

  #reportIfMany(slot: number, timeUs: number): void {
    const record = slot * recordDoubles;
    if (packetsOf(this.#table.records, record) < this.#reportPace.firstPackets) return;
    this.#report(slot);
    const cutUs = this.#table.records[record + flowField.startedAtUs]! + flowTimeoutUs;
    this.#wheel.set(slot, Math.min(timeUs + this.#reportPace.intervalUs, cutUs));
  }

  #report(slot: number): void {
    const values = this.#table.records;
    const record = slot * recordDoubles;
    values[record + flowField.packetsAtReport] = packetsOf(values, record);
    this.#reports++;
    this.#output(this.#table, slot, flowEnd.report, values[record + flowField.reports]!++);
  }

  /** A flow that is cut at 120 s was idle if it had fallen silent before. */
  #silentEnd(silentUs: number): FlowEndCode {
    return silentUs > activityTimeoutUs ? flowEnd.idle : flowEnd.timeout;
  }

  #handOver(slot: number, end: FlowEndCode): void {
    const values = this.#table.records;
    const record = slot * recordDoubles;
    this.#active--;
    if (this.#semantics.dropSinglePackets && !this.#live && packetsOf(values, record) < 2) return;
    this.#flows++;
    this.#output(this.#table, slot, end, values[record + flowField.reports]!);
  }

  /** Live: hand over what is over, and keep its place for stragglers. */
  #bury(slot: number, timeUs: number): void {
    this.#handOver(slot, this.#tcpEnd(slot));
    this.#table.states[slot] = slotState.tombstone;
    this.#table.latePackets[slot] = 0;
    this.#table.enqueue(slot, queue.over);
    this.#wheel.set(slot, timeUs + tombstoneUs);
  }

  #release(slot: number): void {
    if (this.#live) this.#wheel.clear(slot);
    this.#table.remove(slot);
  }

  /** Make room: what is over goes first, then the oldest half-open flow, then a conversation that fell silent. */
  #evict(nowUs: number): void {
    const table = this.#table;
    const over = table.oldest(queue.over);
    if (over >= 0) {
      this.#release(over);
      return;
    }
    let victim = table.oldest(queue.halfOpen);
    for (let tries = 0; victim < 0; tries++) {
      const candidate = table.oldest(queue.answered);
      const lastUs = table.records[candidate * recordDoubles + flowField.lastPacketAtUs]!;
      if (lastUs < nowUs - activityTimeoutUs || tries === evictionTries) victim = candidate;
      else table.enqueue(candidate, queue.answered);
    }
    this.#evicted++;
    this.#handOver(victim, flowEnd.evicted);
    this.#release(victim);
  }

  #handOverAll(end: FlowEndCode): void {
    const table = this.#table;
    for (let over = table.oldest(queue.over); over >= 0; over = table.oldest(queue.over)) this.#release(over);
    const open: number[] = [];
    // By the queues, not the slots: a clock that jumps to and fro must not walk a large table each time.
    for (const waiting of [queue.halfOpen, queue.answered]) {
      for (let slot = table.oldest(waiting); slot >= 0; slot = table.oldest(waiting)) {
        table.leaveQueue(slot);
        open.push(slot);
      }
    }
    const number = (slot: number): number => table.records[slot * recordDoubles + flowField.flowNumber]!;
    open.sort((one, other) => number(one) - number(other));
    for (const slot of open) {
      this.#handOver(slot, this.#isOver(slot) ? this.#tcpEnd(slot) : end);
      this.#release(slot);
    }
  }
}

function packetsOf(values: Float64Array, record: number): number {
  return (
    values[record + flowField.forward + directionField.packets]! +
    values[record + flowField.backward + directionField.packets]!
  );
}

function copyMac(from: Uint8Array, at: number, to: Uint8Array, target: number): void {
  for (let i = 0; i < 6; i++) to[target + i] = at < 0 ? 0 : from[at + i]!;
}
