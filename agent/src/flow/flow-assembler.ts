/**
 * The hot loop: chunks in, flows out. Per packet it calls a few functions over typed arrays and nothing else. It does
 * no I/O and reads no clock: time comes with the packets, or from `advanceTo` while an interface is silent.
 */
import type { Chunk } from '../capture/packet-source.ts';
import { field, ipProtocol, outcome, tcpFlag } from '../packet/packet-fields.ts';
import { Arrivals, blockPackets } from './arrivals.ts';
import type { FlowCounters } from './flow-counters.ts';
import { advanceTcpState, flowEnd, type FlowEndCode, tcpState } from './flow-ending.ts';
import { directionInt, flowField, flowInt, recordInts, recordWords } from './flow-fields.ts';
import { keyField, keyWords } from './flow-key.ts';
import { addPacket, openRecord } from './flow-record.ts';
import type { FlowEndings, FlowSemantics } from './flow-semantics.ts';
import { FlowTable, queue, slotState } from './flow-table.ts';
import { defaultReportPace, type ReportPace } from './report-pace.ts';
import { TimerWheel } from './timer-wheel.ts';

// Imports are looked up again at each use, constants of the file are not: see flow-record.ts.
const p = field;
const t = tcpFlag;
const f = flowField;
const fi = flowInt;
const state = slotState;
const tcp = tcpState;
const words = recordWords;
const ints32 = recordInts;
const keySpan = keyWords;
const decoded = outcome.decoded;
const packetsForward = flowField.forward * 2 + directionInt.packets;
const packetsBackward = flowField.backward * 2 + directionInt.packets;

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

export class FlowAssembler {
  readonly #table: FlowTable;
  readonly #output: FlowOutput;
  readonly #semantics: FlowSemantics;
  readonly #live: boolean;
  readonly #clampTime: boolean;
  readonly #reportPace: ReportPace;
  readonly #payloadField: number;
  readonly #wheel: TimerWheel;
  readonly #arrivals: Arrivals;
  /** When the packet that is being metered came; one double, see flow-record.ts. */
  readonly #atUs = new Float64Array(1);
  readonly #fire = (slot: number, nowUs: number): void => this.#fall(slot, nowUs);
  #frames = new Uint8Array(0);
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
    this.#payloadField = options.semantics.countPadding ? p.paddedPayloadBytes : p.payloadBytes;
    this.#table = new FlowTable(options.capacity);
    this.#wheel = new TimerWheel(this.#live ? options.capacity : 0);
    this.#arrivals = new Arrivals(options.semantics, options.endings, options.hashSeed);
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
    const { count, wireLengths, timesUs } = chunk;
    const arrivals = this.#arrivals;
    const { outcomes } = arrivals;
    const atUs = this.#atUs;
    const live = this.#live;
    this.#frames = chunk.bytes;
    let wireBytes = 0;
    for (let from = 0; from < count; from += blockPackets) {
      const size = count - from < blockPackets ? count - from : blockPackets;
      arrivals.decode(chunk, from, size);
      this.#table.fetch(arrivals.hashes, size);
      for (let i = 0; i < size; i++) {
        const timeUs = timesUs[from + i]!;
        wireBytes += wireLengths[from + i]!;
        if (live && (timeUs >= this.#nextTickUs || timeUs < this.#clockUs)) this.#moveClock(timeUs);
        if (outcomes[i] === decoded) {
          atUs[0] = timeUs;
          this.#addPacket(i);
        } else {
          this.#outcomes[outcomes[i]!]!++;
        }
      }
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

  /** Meter packet `i` of the block. */
  #addPacket(i: number): void {
    const arrivals = this.#arrivals;
    const packet = arrivals.packets[i]!;
    const table = this.#table;
    const slot = table.find(arrivals.keys, i * keySpan, arrivals.hashes[i]!);
    if (slot < 0) {
      this.#insert(i);
      return;
    }
    const slotIs = table.states[slot];
    if (slotIs === state.dozing) {
      this.#wake(slot);
    } else if (slotIs !== state.open) {
      this.#addAfterEnd(i, slot);
      return;
    }
    const { values, ints } = table.records;
    const atUs = this.#atUs;
    const lastUs = values[slot * words + f.lastPacketAtUs]!;
    if (this.#clampTime && atUs[0]! < lastUs) atUs[0] = lastUs;
    if (atUs[0]! - values[slot * words + f.startedAtUs]! > flowTimeoutUs) {
      this.#handOver(slot, this.#silentEnd(atUs[0]! - lastUs));
      this.#continue(i, slot);
      return;
    }
    const flags = packet[p.flags]!;
    if (flags === 0 || (flags & (t.syn | t.fin)) !== 0) {
      if (this.#startsAnew(i, slot, flags)) {
        this.#handOver(slot, this.#tcpEnd(slot));
        this.#open(i, slot);
        return;
      }
      if (this.#semantics.endAtFirstFin && !this.#live && (flags & t.fin) !== 0) {
        this.#record(i, slot, false);
        this.#handOver(slot, flowEnd.closed);
        this.#release(slot);
        return;
      }
    }
    this.#record(i, slot, true);
    if (flags !== 0) {
      const reached = advanceTcpState(ints, slot * ints32, flags);
      if (reached >= tcp.closed && this.#live) {
        this.#bury(slot);
        return;
      }
    }
    if (this.#live && ints[slot * ints32 + fi.reports] === 0) this.#reportIfMany(slot);
  }

  /** A connection that is over and begins again, or an ICMP exchange of another kind. */
  #startsAnew(i: number, slot: number, flags: number): boolean {
    if ((flags & t.syn) !== 0) return this.#isOver(slot);
    const packet = this.#arrivals.packets[i]!;
    const protocol = packet[p.protocol];
    if (flags !== 0 || (protocol !== ipProtocol.icmp && protocol !== ipProtocol.icmp6)) return false;
    if (!this.#semantics.protocols.has(ipProtocol.icmp)) return false;
    const first = this.#table.icmp[slot]!;
    return first >> 8 !== packet[p.icmpType] && (first & 0xff) !== packet[p.icmpCode];
  }

  /** Both sides are done, for a meter that waits for both. */
  #isOver(slot: number): boolean {
    return this.#table.records.ints[slot * ints32 + fi.tcpState]! >= tcp.closed && !this.#semantics.endAtFirstFin;
  }

  #tcpEnd(slot: number): FlowEndCode {
    return this.#table.records.ints[slot * ints32 + fi.tcpState] === tcp.reset ? flowEnd.reset : flowEnd.closed;
  }

  #record(i: number, slot: number, withActivity: boolean): void {
    const arrivals = this.#arrivals;
    const table = this.#table;
    const { values, ints } = table.records;
    const forward = table.lowIsSource[slot] === arrivals.sourceIsLow[i];
    if (ints[slot * ints32 + (forward ? packetsForward : packetsBackward)] === 0) table.enqueue(slot, queue.answered);
    addPacket(values, ints, slot, forward, arrivals.packets[i]!, this.#atUs, this.#payloadField, withActivity);
  }

  #insert(i: number): void {
    const { keys, hashes } = this.#arrivals;
    if (this.#table.full) this.#evict(this.#atUs[0]!);
    this.#open(i, this.#table.insert(keys, i * keySpan, hashes[i]!));
  }

  /** Begin a flow that knows nothing of an earlier one. */
  #open(i: number, slot: number): void {
    const packet = this.#arrivals.packets[i]!;
    const table = this.#table;
    const synAck = t.syn | t.ack;
    const turned = this.#semantics.turnSynAck && (packet[p.flags]! & synAck) === synAck;
    table.lowIsSource[slot] = turned ? 1 - this.#arrivals.sourceIsLow[i]! : this.#arrivals.sourceIsLow[i]!;
    table.icmp[slot] = (packet[p.icmpType]! << 8) | packet[p.icmpCode]!;
    copyMac(this.#frames, packet[turned ? p.dstMacOffset : p.srcMacOffset]!, table.macs, slot * 12);
    copyMac(this.#frames, packet[turned ? p.srcMacOffset : p.dstMacOffset]!, table.macs, slot * 12 + 6);
    this.#begin(i, slot, !turned);
  }

  /** Begin the flow that follows one which was cut at 120 s. */
  #continue(i: number, slot: number): void {
    const table = this.#table;
    const silentUs = this.#atUs[0]! - table.records.values[slot * words + f.lastPacketAtUs]!;
    if (this.#turnsAtCut(this.#arrivals.packets[i]![p.protocol]!, silentUs)) {
      this.#open(i, slot);
      return;
    }
    const sameWay = table.lowIsSource[slot] === this.#arrivals.sourceIsLow[i];
    this.#begin(i, slot, this.#semantics.cutPacketIsForward || sameWay);
  }

  #turnsAtCut(protocol: number, silentUs: number): boolean {
    if (protocol === ipProtocol.tcp) return false;
    if (protocol === ipProtocol.udp && this.#semantics.turnUdpAtCut === 'if-silent') return silentUs > flowTimeoutUs;
    return this.#semantics.turnUdpAtCut !== 'never';
  }

  #begin(i: number, slot: number, forward: boolean): void {
    const { packets, keys } = this.#arrivals;
    const packet = packets[i]!;
    const table = this.#table;
    const { values, ints } = table.records;
    const flags = packet[p.flags]!;
    table.states[slot] = state.open;
    table.protocols[slot] = this.#live ? packet[p.protocol]! : keys[i * keySpan + keyField.protocolAndFamily]! >> 8;
    table.enqueue(slot, queue.halfOpen);
    openRecord(values, ints, slot, forward, packet, this.#atUs, this.#payloadField);
    values[slot * words + f.flowNumber] = ++this.#flowNumber;
    this.#active++;
    const reached = flags === 0 ? tcp.open : advanceTcpState(ints, slot * ints32, flags);
    if (!this.#live) return;
    if (reached === tcp.reset) this.#bury(slot);
    else this.#wheel.set(slot, this.#atUs[0]! + this.#reportPace.firstUs);
  }

  /** A packet for a slot whose flow was handed over already. */
  #addAfterEnd(i: number, slot: number): void {
    const table = this.#table;
    if (table.states[slot] === state.cut) {
      this.#wheel.clear(slot);
      this.#continue(i, slot);
      return;
    }
    const isOpening = (this.#arrivals.packets[i]![p.flags]! & (t.syn | t.ack)) === t.syn;
    if (!isOpening && table.latePackets[slot]! < tombstonePackets) {
      table.latePackets[slot]!++;
      this.#latePackets++;
      return;
    }
    this.#wheel.clear(slot);
    table.remove(slot);
    this.#insert(i);
  }

  /** A deadline of this slot has come. */
  #fall(slot: number, nowUs: number): void {
    const table = this.#table;
    if (table.states[slot] !== state.open && table.states[slot] !== state.dozing) {
      table.remove(slot);
      return;
    }
    const { values, ints } = table.records;
    const cutUs = values[slot * words + f.startedAtUs]! + flowTimeoutUs;
    const lastUs = values[slot * words + f.lastPacketAtUs]!;
    if (nowUs > cutUs) {
      this.#handOver(slot, this.#silentEnd(nowUs - lastUs));
      if (lastUs + flowTimeoutUs <= nowUs) {
        table.remove(slot);
        return;
      }
      table.states[slot] = state.cut;
      table.enqueue(slot, queue.over);
      this.#wheel.set(slot, lastUs + flowTimeoutUs);
      return;
    }
    if (packetsOf(ints, slot) === ints[slot * ints32 + fi.packetsAtReport]) {
      table.states[slot] = state.dozing;
      this.#wheel.set(slot, cutUs);
      return;
    }
    this.#report(slot);
    this.#wheel.set(slot, Math.min(nowUs + this.#reportPace.intervalUs, cutUs));
  }

  #wake(slot: number): void {
    const cutUs = this.#cutUs(slot);
    this.#table.states[slot] = state.open;
    this.#wheel.set(slot, Math.min(this.#atUs[0]! + this.#reportPace.firstUs, cutUs));
  }

  #reportIfMany(slot: number): void {
    if (packetsOf(this.#table.records.ints, slot) < this.#reportPace.firstPackets) return;
    this.#report(slot);
    this.#wheel.set(slot, Math.min(this.#atUs[0]! + this.#reportPace.intervalUs, this.#cutUs(slot)));
  }

  #cutUs(slot: number): number {
    return this.#table.records.values[slot * words + f.startedAtUs]! + flowTimeoutUs;
  }

  #report(slot: number): void {
    const { ints } = this.#table.records;
    ints[slot * ints32 + fi.packetsAtReport] = packetsOf(ints, slot);
    this.#reports++;
    this.#output(this.#table, slot, flowEnd.report, ints[slot * ints32 + fi.reports]!++);
  }

  /** A flow that is cut at 120 s was idle if it had fallen silent before. */
  #silentEnd(silentUs: number): FlowEndCode {
    return silentUs > activityTimeoutUs ? flowEnd.idle : flowEnd.timeout;
  }

  #handOver(slot: number, end: FlowEndCode): void {
    const { ints } = this.#table.records;
    this.#active--;
    if (this.#semantics.dropSinglePackets && !this.#live && packetsOf(ints, slot) < 2) return;
    this.#flows++;
    this.#output(this.#table, slot, end, ints[slot * ints32 + fi.reports]!);
  }

  /** Live: hand over what is over, and keep its place for stragglers. */
  #bury(slot: number): void {
    this.#handOver(slot, this.#tcpEnd(slot));
    this.#table.states[slot] = state.tombstone;
    this.#table.latePackets[slot] = 0;
    this.#table.enqueue(slot, queue.over);
    this.#wheel.set(slot, this.#atUs[0]! + tombstoneUs);
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
      const lastUs = table.records.values[candidate * words + f.lastPacketAtUs]!;
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
    for (const slot of this.#oldestFirst()) {
      this.#handOver(slot, this.#isOver(slot) ? this.#tcpEnd(slot) : end);
      this.#release(slot);
    }
  }

  /** The slots of all open flows, in the order in which these began; they leave their queues. */
  #oldestFirst(): Uint32Array {
    const table = this.#table;
    const { values } = table.records;
    // Age and slot in one number, which a typed array sorts ten times as fast as a comparison of ages does.
    const order = new Float64Array(table.used);
    let found = 0;
    // By the queues, not the slots: a clock that jumps to and fro must not walk a large table each time.
    for (const waiting of [queue.halfOpen, queue.answered]) {
      for (let slot = table.oldest(waiting); slot >= 0; slot = table.oldest(waiting)) {
        table.leaveQueue(slot);
        order[found++] = (values[slot * words + f.flowNumber]! - this.#flowNumber) * slotSpan + slot;
      }
    }
    return Uint32Array.from(order.sort(), (one) => one - Math.floor(one / slotSpan) * slotSpan);
  }
}

/** Above every slot number. */
const slotSpan = 2 ** 22;

function packetsOf(ints: Int32Array, slot: number): number {
  return ints[slot * ints32 + packetsForward]! + ints[slot * ints32 + packetsBackward]!;
}

function copyMac(from: Uint8Array, at: number, to: Uint8Array, target: number): void {
  for (let i = 0; i < 6; i++) to[target + i] = at < 0 ? 0 : from[at + i]!;
}
