/**
 * The flows that are open, and how they leave: ended by their packets, fallen due by packet time, reported while they
 * live, evicted where there is no room. What is done here is done once per flow or report, not once per packet.
 */
import { flowEnd, type FlowEndCode, tcpState } from './flow-ending.ts';
import { directionInt, flowByte, flowField, flowInt, recordBytes, recordInts, recordWords } from './flow-fields.ts';
import type { FlowEndings, FlowSemantics } from './flow-semantics.ts';
import { FlowTable, queue, slotState } from './flow-table.ts';
import { defaultReportPace, type ReportPace } from './report-pace.ts';
import { TimerWheel } from './timer-wheel.ts';

// Imports are looked up again at each use, constants of the file are not: see flow-record.ts.
const f = flowField;
const fi = flowInt;
const tcpStateByte = flowByte.tcpState;
const isReportedByte = flowByte.isReported;
const bytes8 = recordBytes;
const state = slotState;
const words = recordWords;
const ints32 = recordInts;
const packetsForward = flowField.forward * 2 + directionInt.packets;
const packetsBackward = flowField.backward * 2 + directionInt.packets;

/** A flow is cut when it has lasted this long. */
export const flowTimeoutUs = 120_000_000;
/** A flow that has been silent for longer is idle. */
const activityTimeoutUs = 5_000_000;
const tombstoneUs = 10_000_000;
/** How many living conversations are spared before one of them is evicted. */
const evictionTries = 8;
/** Conversations of a capture that there is memory for from the beginning: 32 MiB. */
const firstRoom = 65_536;
/** Above every slot number. */
const slotSpan = 2 ** 22;

export interface OpenFlowsOptions {
  readonly semantics: FlowSemantics;
  readonly endings: FlowEndings;
  /** Most flows open at a time. */
  readonly capacity: number;
  /** With `live` endings. */
  readonly reportPace?: ReportPace;
}

/** Takes a flow out of the table: `slot` and its record are overwritten afterwards. */
export type FlowOutput = (table: FlowTable, slot: number, end: FlowEndCode, reportNumber: number) => void;

export class OpenFlows {
  readonly table: FlowTable;
  /** Handed over for good. */
  flows = 0;
  reports = 0;
  evicted = 0;
  /** Open now. */
  active = 0;
  readonly #output: FlowOutput;
  readonly #live: boolean;
  readonly #endAtFirstFin: boolean;
  readonly #dropSinglePackets: boolean;
  readonly #reportPace: ReportPace;
  readonly #wheel: TimerWheel;
  readonly #fire = (slot: number, nowUs: number): void => this.#fall(slot, nowUs);
  #flowNumber = 0;

  constructor(options: OpenFlowsOptions, output: FlowOutput) {
    this.#output = output;
    this.#live = options.endings === 'live';
    this.#endAtFirstFin = options.semantics.endAtFirstFin;
    this.#dropSinglePackets = options.semantics.dropSinglePackets && !this.#live;
    this.#reportPace = options.reportPace ?? defaultReportPace;
    // Live, a table that grew would stand twice in memory for a moment, and the capture would wait for it.
    this.table = new FlowTable(options.capacity, this.#live ? options.capacity : firstRoom);
    this.#wheel = new TimerWheel(this.#live ? options.capacity : 0);
  }

  /** Packet time up to which everything that was due has been handed over. */
  get nextTickUs(): number {
    return this.#wheel.nextTickUs;
  }

  /** Packet time up to which it has moved on, in ticks; negative before `start`. */
  get clockUs(): number {
    return this.#wheel.timeUs;
  }

  /** Packet time begins, or begins again, at `timeUs`. Nothing may be open. */
  start(timeUs: number): void {
    this.#wheel.start(timeUs);
  }

  /** Packet time moves on: what falls due until then is handed over or reported. */
  advance(timeUs: number): void {
    this.#wheel.advance(timeUs, this.#fire);
  }

  /** A flow begins in this slot, whose record holds its first packet. */
  opened(slot: number, timeUs: number): void {
    this.table.setState(slot, state.open);
    this.table.enqueue(slot, queue.halfOpen);
    this.table.records.values[slot * words + f.flowNumber] = ++this.#flowNumber;
    this.active++;
    if (this.#live) this.#wheel.set(slot, timeUs + this.#reportPace.firstUs);
  }

  /** The flow was silent since its last report, and goes on. */
  wake(slot: number, timeUs: number): void {
    this.table.setState(slot, state.open);
    this.#wheel.set(slot, Math.min(timeUs + this.#reportPace.firstUs, this.#cutUs(slot)));
  }

  /** Report a flow that was not reported yet as soon as it has many packets. Asked for each of these, at `atUs[0]`. */
  reportIfMany(slot: number, atUs: Float64Array): void {
    if (packetsOf(this.table.records.ints, slot) < this.#reportPace.firstPackets) return;
    this.#report(slot);
    this.#wheel.set(slot, Math.min(atUs[0]! + this.#reportPace.intervalUs, this.#cutUs(slot)));
  }

  /** Both sides are done, for a meter that waits for both. */
  isOver(slot: number): boolean {
    return this.table.records.bytes[slot * bytes8 + tcpStateByte]! >= tcpState.closed && !this.#endAtFirstFin;
  }

  /** How a connection that is over ended. */
  tcpEnd(slot: number): FlowEndCode {
    return this.table.records.bytes[slot * bytes8 + tcpStateByte] === tcpState.reset ? flowEnd.reset : flowEnd.closed;
  }

  /** A flow that is cut at 120 s was idle if it had fallen silent before. */
  silentEnd(silentUs: number): FlowEndCode {
    return silentUs > activityTimeoutUs ? flowEnd.idle : flowEnd.timeout;
  }

  /** Hand a flow over for good; its slot stays. */
  handOver(slot: number, end: FlowEndCode): void {
    const { ints } = this.table.records;
    this.active--;
    if (this.#dropSinglePackets && packetsOf(ints, slot) < 2) return;
    this.flows++;
    this.#output(this.table, slot, end, ints[slot * ints32 + fi.reports]!);
  }

  /** Live: hand over a connection that is over, and keep its place for stragglers. */
  bury(slot: number, timeUs: number): void {
    this.handOver(slot, this.tcpEnd(slot));
    this.table.setState(slot, state.tombstone);
    this.table.latePackets[slot] = 0;
    this.table.enqueue(slot, queue.over);
    this.#wheel.set(slot, timeUs + tombstoneUs);
  }

  /** Give a slot back. */
  release(slot: number): void {
    this.withdraw(slot);
    this.table.remove(slot);
  }

  /** What was due for this slot is not any more. */
  withdraw(slot: number): void {
    if (this.#live) this.#wheel.clear(slot);
  }

  /** Make room: what is over goes first, then the oldest half-open flow, then a conversation that fell silent. */
  evict(nowUs: number): void {
    const { table } = this;
    const over = table.oldest(queue.over);
    if (over >= 0) {
      this.release(over);
      return;
    }
    let victim = table.oldest(queue.halfOpen);
    for (let tries = 0; victim < 0; tries++) {
      const candidate = table.oldest(queue.answered);
      const lastUs = table.records.values[candidate * words + f.lastPacketAtUs]!;
      if (lastUs < nowUs - activityTimeoutUs || tries === evictionTries) victim = candidate;
      else table.enqueue(candidate, queue.answered);
    }
    this.evicted++;
    this.handOver(victim, flowEnd.evicted);
    this.release(victim);
  }

  /** Hand over whatever is open, oldest flow first. */
  handOverAll(end: FlowEndCode): void {
    const { table } = this;
    for (let over = table.oldest(queue.over); over >= 0; over = table.oldest(queue.over)) this.release(over);
    const order = this.#oldestFirst();
    for (let i = 0; i < order.length; i++) {
      const slot = slotOf(order[i]!);
      this.handOver(slot, this.isOver(slot) ? this.tcpEnd(slot) : end);
      this.withdraw(slot);
    }
    table.clear();
  }

  /** A deadline of this slot has come. */
  #fall(slot: number, nowUs: number): void {
    const { table } = this;
    const slotIs = table.stateOf(slot);
    if (slotIs !== state.open && slotIs !== state.dozing) {
      table.remove(slot);
      return;
    }
    const { values, ints } = table.records;
    const cutUs = values[slot * words + f.startedAtUs]! + flowTimeoutUs;
    const lastUs = values[slot * words + f.lastPacketAtUs]!;
    if (nowUs > cutUs) {
      this.handOver(slot, this.silentEnd(nowUs - lastUs));
      if (lastUs + flowTimeoutUs <= nowUs) {
        table.remove(slot);
        return;
      }
      table.setState(slot, state.cut);
      table.enqueue(slot, queue.over);
      this.#wheel.set(slot, lastUs + flowTimeoutUs);
      return;
    }
    if (packetsOf(ints, slot) === ints[slot * ints32 + fi.packetsAtReport]) {
      table.setState(slot, state.dozing);
      this.#wheel.set(slot, cutUs);
      return;
    }
    this.#report(slot);
    this.#wheel.set(slot, Math.min(nowUs + this.#reportPace.intervalUs, cutUs));
  }

  #cutUs(slot: number): number {
    return this.table.records.values[slot * words + f.startedAtUs]! + flowTimeoutUs;
  }

  #report(slot: number): void {
    const { ints, bytes } = this.table.records;
    bytes[slot * bytes8 + isReportedByte] = 1;
    ints[slot * ints32 + fi.packetsAtReport] = packetsOf(ints, slot);
    this.reports++;
    this.#output(this.table, slot, flowEnd.report, ints[slot * ints32 + fi.reports]!++);
  }

  /** Age and slot of all open flows (see `slotOf`), in the order in which these began; they leave their queues. */
  #oldestFirst(): Float64Array {
    const { table } = this;
    const { values } = table.records;
    // In one number, which a typed array sorts ten times as fast as a comparison of ages does.
    const order = new Float64Array(table.used);
    let found = 0;
    // By the queues, not the slots: a clock that jumps to and fro must not walk a large table each time.
    for (const waiting of [queue.halfOpen, queue.answered]) {
      for (let slot = table.oldest(waiting); slot >= 0; slot = table.oldest(waiting)) {
        table.leaveQueue(slot);
        order[found++] = (values[slot * words + f.flowNumber]! - this.#flowNumber) * slotSpan + slot;
      }
    }
    return order.sort();
  }
}

function slotOf(ageAndSlot: number): number {
  return (ageAndSlot - Math.floor(ageAndSlot / slotSpan) * slotSpan) | 0; // a small integer again: see flow-record.ts
}

function packetsOf(ints: Int32Array, slot: number): number {
  return ints[slot * ints32 + packetsForward]! + ints[slot * ints32 + packetsBackward]!;
}
