/**
 * The hot loop: chunks in, flows out. Per packet it calls a few functions over typed arrays and nothing else. It does
 * no I/O and reads no clock: time comes with the packets, or from `advanceTo` while an interface is silent.
 */
import type { Chunk } from '../capture/packet-source.ts';
import { field, ipProtocol, outcome, tcpFlag } from '../packet/packet-fields.ts';
import { Arrivals, blockPackets, packetInts, packetKey } from './arrivals.ts';
import type { FlowCounters } from './flow-counters.ts';
import { advanceTcpState, flowEnd, tcpState } from './flow-ending.ts';
import { directionInt, flowByte, flowField, recordBytes, recordInts, recordWords } from './flow-fields.ts';
import { keyField } from './flow-key.ts';
import { addPacket, openRecord } from './flow-record.ts';
import type { FlowSemantics } from './flow-semantics.ts';
import { type FlowTable, queue, slotState } from './flow-table.ts';
import { type FlowOutput, flowTimeoutUs, OpenFlows, type OpenFlowsOptions } from './open-flows.ts';

// Imports are looked up again at each use, constants of the file are not: see flow-record.ts.
const p = field;
const t = tcpFlag;
const f = flowField;
const isReported = flowByte.isReported;
const state = slotState;
const tcp = tcpState;
const words = recordWords;
const ints32 = recordInts;
const bytes8 = recordBytes;
const rowInts = packetInts;
const keyAt = packetKey;
const decoded = outcome.decoded;
const timeoutUs = flowTimeoutUs;
const packetsForward = flowField.forward * 2 + directionInt.packets;
const packetsBackward = flowField.backward * 2 + directionInt.packets;

/**
 * What comes further behind the latest packets than this is no packet that was overtaken: the clock was set back. Until
 * time has come this far again nothing falls due, so it is no longer than a disorder of packets may last.
 */
const overtakenUs = 10_000_000;

/** So many flows lie in the processor's cache or near it: fetching them ahead costs more than it saves (BENCHMARKS.md). */
const cachedFlows = 16_384;

/** A tombstone gives way to a new flow when more packets than this come after the end: they are no stragglers. */
const tombstonePackets = 16;

export interface FlowAssemblerOptions extends OpenFlowsOptions {
  /** Of the hash; the flows do not depend on it. */
  readonly hashSeed: number;
}

export class FlowAssembler {
  readonly #open: OpenFlows;
  readonly #table: FlowTable;
  readonly #semantics: FlowSemantics;
  readonly #live: boolean;
  readonly #clampTime: boolean;
  readonly #payloadField: number;
  readonly #arrivals: Arrivals;
  /** When the packet that is being metered came; one double, see flow-record.ts. */
  readonly #atUs = new Float64Array(1);
  #frames = new Uint8Array(0);
  #clockUs = -1;
  #nextTickUs = 0;
  readonly #outcomes = new Float64Array(Object.keys(outcome).length);
  #packets = 0;
  #bytes = 0;
  #latePackets = 0;
  #timeSteps = 0;

  constructor(options: FlowAssemblerOptions, output: FlowOutput) {
    this.#semantics = options.semantics;
    this.#live = options.endings === 'live';
    this.#clampTime = this.#live && !options.semantics.keepBackwardTime;
    this.#payloadField = options.semantics.countPadding ? p.paddedPayloadBytes : p.payloadBytes;
    this.#open = new OpenFlows(options, output);
    this.#table = this.#open.table;
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
      flows: this.#open.flows,
      reports: this.#open.reports,
      evicted: this.#open.evicted,
      latePackets: this.#latePackets,
      timeSteps: this.#timeSteps,
      active: this.#open.active,
    };
  }

  /**
   * Packet time, µs, of what is handed over just now. It goes back only where the clock was set back, and does not depend
   * on chunks or on `advanceTo`.
   */
  get clockUs(): number {
    return Math.max(this.#open.clockUs, this.#atUs[0]!);
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
      if (this.#table.used > cachedFlows) this.#table.fetch(arrivals.hashes, size);
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
   * source; earlier times are ignored (that a clock was set back is for the next packet to say), and so is every time
   * before the first packet.
   */
  advanceTo(timeUs: number): void {
    if (this.#live && this.#clockUs >= 0 && timeUs >= this.#nextTickUs) this.#moveClock(timeUs);
  }

  /** The input is over: hand over what is open, oldest flow first. */
  finish(): void {
    this.#open.handOverAll(flowEnd.endOfInput);
  }

  #moveClock(timeUs: number): void {
    if (this.#clockUs < 0) {
      this.#open.start(timeUs);
    } else if (timeUs < this.#clockUs) {
      if (timeUs >= this.#clockUs - overtakenUs) return;
      // Nothing that is open can be measured on: the clock was set back, or another capture was put behind this one.
      this.#timeSteps++;
      this.#open.handOverAll(flowEnd.timeout);
      this.#open.start(timeUs);
    } else {
      this.#open.advance(timeUs);
    }
    this.#clockUs = timeUs;
    this.#nextTickUs = this.#open.nextTickUs;
  }

  /** Meter packet `i` of the block. */
  #addPacket(i: number): void {
    const arrivals = this.#arrivals;
    const { packets } = arrivals;
    const row = i * rowInts;
    const table = this.#table;
    const slot = table.find(packets, row + keyAt, arrivals.hashes[i]!);
    if (slot < 0) {
      this.#insert(i);
      return;
    }
    const slotIs = table.stateOf(slot);
    if (slotIs === state.dozing) {
      this.#open.wake(slot, this.#atUs[0]!);
    } else if (slotIs !== state.open) {
      this.#addAfterEnd(i, slot);
      return;
    }
    const { values, ints, bytes } = table.records;
    const atUs = this.#atUs;
    const lastUs = values[slot * words + f.lastPacketAtUs]!;
    if (this.#clampTime && atUs[0]! < lastUs) atUs[0] = lastUs;
    if (atUs[0]! - values[slot * words + f.startedAtUs]! > timeoutUs) {
      this.#open.handOver(slot, this.#open.silentEnd(atUs[0]! - lastUs));
      this.#continue(i, slot);
      return;
    }
    const flags = packets[row + p.flags]!;
    if (flags === 0 || (flags & (t.syn | t.fin)) !== 0) {
      if (this.#startsAnew(i, slot, flags)) {
        this.#open.handOver(slot, this.#open.tcpEnd(slot));
        this.#startFlow(i, slot);
        return;
      }
      if (this.#semantics.endAtFirstFin && !this.#live && (flags & t.fin) !== 0) {
        this.#record(i, slot, false);
        this.#open.handOver(slot, flowEnd.closed);
        this.#open.release(slot);
        return;
      }
    }
    this.#record(i, slot, true);
    if (flags !== 0) {
      const reached = advanceTcpState(ints, bytes, slot, flags);
      if (reached >= tcp.closed && this.#live) {
        this.#open.bury(slot, this.#atUs[0]!);
        return;
      }
    }
    if (this.#live && bytes[slot * bytes8 + isReported] === 0) this.#open.reportIfMany(slot, this.#atUs);
  }

  /** A connection that is over and begins again, or an ICMP exchange of another kind. */
  #startsAnew(i: number, slot: number, flags: number): boolean {
    if ((flags & t.syn) !== 0) return this.#open.isOver(slot);
    const { packets } = this.#arrivals;
    const row = i * rowInts;
    const protocol = packets[row + p.protocol];
    if (flags !== 0 || (protocol !== ipProtocol.icmp && protocol !== ipProtocol.icmp6)) return false;
    if (packets[row + p.laterFragment] === 1 || !this.#semantics.protocols.has(ipProtocol.icmp)) return false;
    const first = this.#table.icmp[slot]!;
    return first >> 8 !== packets[row + p.icmpType] && (first & 0xff) !== packets[row + p.icmpCode];
  }

  #record(i: number, slot: number, withActivity: boolean): void {
    const arrivals = this.#arrivals;
    const table = this.#table;
    const { values, ints } = table.records;
    const forward = table.lowIsSource(slot) === arrivals.sourceIsLow[i];
    if (ints[slot * ints32 + (forward ? packetsForward : packetsBackward)] === 0) table.enqueue(slot, queue.answered);
    addPacket(values, ints, slot, forward, arrivals.packets, i * rowInts, this.#atUs, this.#payloadField, withActivity);
  }

  #insert(i: number): void {
    const { packets, hashes } = this.#arrivals;
    if (this.#table.full) this.#open.evict(this.#atUs[0]!);
    this.#startFlow(i, this.#table.insert(packets, i * rowInts + keyAt, hashes[i]!));
  }

  /** Begin a flow that knows nothing of an earlier one. */
  #startFlow(i: number, slot: number): void {
    const { packets } = this.#arrivals;
    const row = i * rowInts;
    const table = this.#table;
    const synAck = t.syn | t.ack;
    const turned = this.#semantics.turnSynAck && (packets[row + p.flags]! & synAck) === synAck;
    table.setLowIsSource(slot, turned ? 1 - this.#arrivals.sourceIsLow[i]! : this.#arrivals.sourceIsLow[i]!);
    table.icmp[slot] = (packets[row + p.icmpType]! << 8) | packets[row + p.icmpCode]!;
    // Of a turned flow the source has sent nothing yet: to whom a frame went is no word of theirs.
    copyMac(this.#frames, turned ? -1 : packets[row + p.srcMacOffset]!, table.macs, slot * 12);
    copyMac(this.#frames, packets[row + (turned ? p.srcMacOffset : p.dstMacOffset)]!, table.macs, slot * 12 + 6);
    this.#begin(i, slot, !turned);
  }

  /** Begin the flow that follows one which was cut at 120 s. */
  #continue(i: number, slot: number): void {
    const table = this.#table;
    const silentUs = this.#atUs[0]! - table.records.values[slot * words + f.lastPacketAtUs]!;
    if (this.#turnsAtCut(this.#arrivals.packets[i * rowInts + p.protocol]!, silentUs)) {
      this.#startFlow(i, slot);
      return;
    }
    const sameWay = table.lowIsSource(slot) === this.#arrivals.sourceIsLow[i];
    this.#begin(i, slot, this.#semantics.cutPacketIsForward || sameWay);
  }

  #turnsAtCut(protocol: number, silentUs: number): boolean {
    if (protocol === ipProtocol.tcp) return false;
    if (protocol === ipProtocol.udp && this.#semantics.turnUdpAtCut === 'if-silent') return silentUs > timeoutUs;
    return this.#semantics.turnUdpAtCut !== 'never';
  }

  #begin(i: number, slot: number, forward: boolean): void {
    const { packets } = this.#arrivals;
    const row = i * rowInts;
    const table = this.#table;
    const { values, ints, bytes } = table.records;
    const flags = packets[row + p.flags]!;
    table.protocols[slot] = this.#live
      ? packets[row + p.protocol]!
      : packets[row + keyAt + keyField.protocolAndFamily]! >> 8;
    bytes[slot * bytes8 + flowByte.tcpState] = tcp.open;
    bytes[slot * bytes8 + isReported] = 0;
    openRecord(values, ints, slot, forward, packets, row, this.#atUs, this.#payloadField);
    this.#open.opened(slot, this.#atUs[0]!);
    const reached = flags === 0 ? tcp.open : advanceTcpState(ints, bytes, slot, flags);
    if (this.#live && reached === tcp.reset) this.#open.bury(slot, this.#atUs[0]!);
  }

  /** A packet for a slot whose flow was handed over already. */
  #addAfterEnd(i: number, slot: number): void {
    const table = this.#table;
    if (table.stateOf(slot) === state.cut) {
      this.#open.withdraw(slot);
      this.#continue(i, slot);
      return;
    }
    const isOpening = (this.#arrivals.packets[i * rowInts + p.flags]! & (t.syn | t.ack)) === t.syn;
    if (!isOpening && table.latePackets[slot]! < tombstonePackets) {
      table.latePackets[slot]!++;
      this.#latePackets++;
      return;
    }
    this.#open.withdraw(slot);
    table.remove(slot);
    this.#insert(i);
  }
}

function copyMac(from: Uint8Array, at: number, to: Uint8Array, target: number): void {
  for (let i = 0; i < 6; i++) to[target + i] = at < 0 ? 0 : from[at + i]!;
}
