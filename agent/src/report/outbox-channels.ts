/**
 * What waits in each channel of the outbox, how it is numbered, and what is given up for room or age: counted here, beside
 * the rows. What writes is called inside a transaction of the table; where that fails, what was counted is `restore`d.
 */
import { channelOf } from '@picket/shared/contract/envelope';
import type { Ack, EventBody } from '@picket/shared/contract/envelope';
import { eventChannels } from '@picket/shared/contract/topics';
import type { EventChannel } from '@picket/shared/contract/topics';
import { gapBody, type EventRow, type OutboxTable } from './outbox-table.ts';

export type ReportedBody = Exclude<EventBody, { kind: 'gap' }>;

const maxEventBytes = 64 * 1024;
const maxRowsDropped = 1000;

interface ChannelState {
  nextSeq: number;
  rows: number;
  bytes: number;
  dropped: number;
  /** Sent and not yet acknowledged: these rows are never dropped. */
  inFlightUpto: number;
  /** Could not be written; become a gap with the next write that works. */
  unwritten: number;
}

type States = Record<EventChannel, ChannelState>;

/** How many events of each channel, in the order of `eventChannels`. */
type Unwritten = readonly number[];

export class OutboxChannels {
  readonly #table: OutboxTable;
  #states: States;

  /** Nothing is known of the rows until it was read. What could not be written to another file is reported with this one. */
  constructor(table: OutboxTable, unwritten: Unwritten = []) {
    this.#table = table;
    this.#states = Object.fromEntries(
      eventChannels.map((name, index) => [
        name,
        { nextSeq: 1, rows: 0, bytes: 0, dropped: 0, inFlightUpto: 0, unwritten: unwritten[index] ?? 0 },
      ]),
    ) as States;
  }

  /** Throws what SQLite throws, as everything here does that reads or writes. */
  readNumbering(channel: EventChannel): void {
    Object.assign(this.#states[channel], this.#table.numbering(channel));
  }

  readSize(channel: EventChannel): void {
    Object.assign(this.#states[channel], this.#table.size(channel));
  }

  saveNumbering(): void {
    for (const name of eventChannels) this.#table.saveNumbering(name, this.#states[name]);
  }

  /** To be given to `restore` where a transaction fails. */
  snapshot(): unknown {
    return structuredClone(this.#states);
  }

  restore(snapshot: unknown): void {
    this.#states = snapshot as States;
  }

  get rows(): number {
    return this.#sum((state) => state.rows);
  }

  get bytes(): number {
    return this.#sum((state) => state.bytes);
  }

  /** Events lost so far, and those that could not be written. */
  get dropped(): number {
    return this.#sum((state) => state.dropped + state.unwritten);
  }

  /** Rows of one channel that wait for an acknowledgement. */
  waiting(channel: EventChannel): number {
    return this.#states[channel].rows;
  }

  /** Could not be written, and is still to be reported. */
  unwritten(): Unwritten {
    return eventChannels.map((name) => this.#states[name].unwritten);
  }

  /** The same where the file is gone, with all that waited in it. */
  unwrittenWithoutFile(): Unwritten {
    return eventChannels.map((name) => this.#states[name].unwritten + this.#states[name].rows);
  }

  noteUnwritten(channel: EventChannel): void {
    this.#states[channel].unwritten += 1;
  }

  /** Rows up to this number were sent: they are safe from dropping until they are `forget`ten or nothing is in flight. */
  holdUpto(channel: EventChannel, seq: number): void {
    this.#states[channel].inFlightUpto = seq;
  }

  hasNumbered(channel: EventChannel, seq: number): boolean {
    return seq < this.#states[channel].nextSeq;
  }

  /** These rows were committed by the controller. */
  forget({ channel, upto }: Ack): void {
    const gone = this.#table.removeUpto(channel, upto);
    this.#states[channel].rows -= gone.rows;
    this.#states[channel].bytes -= gone.bytes;
  }

  /** They are no longer in flight, whether the disk forgot them or not. */
  noteCommitted({ channel, upto }: Ack): void {
    const state = this.#states[channel];
    if (upto >= state.inFlightUpto) state.inFlightUpto = 0;
  }

  /** `at`: epoch milliseconds. */
  insert(body: ReportedBody, at: number): void {
    const channel = channelOf[body.kind];
    const state = this.#states[channel];
    const text = JSON.stringify(body);
    const bytes = Buffer.byteLength(text);
    if (bytes > maxEventBytes) {
      state.unwritten += 1;
      return;
    }
    if (state.unwritten > 0) this.#insertGapForUnwritten(channel, at);
    const seq = state.nextSeq;
    this.#write(channel, { seq, at, bytes, lost: 0, from_seq: seq, body: text });
    state.nextSeq += 1;
  }

  /** Frees a little more than needed, so that a full outbox does not pay for every event. */
  keepWithin(maxBytes: number, at: number): void {
    if (this.bytes <= maxBytes) return;
    const target = maxBytes * 0.95;
    for (const channel of eventChannels.toReversed()) {
      while (this.bytes > target && this.#dropOldest(channel, this.bytes - target, Infinity, at) > 0);
      if (this.bytes <= target) break;
    }
  }

  /** Gives up what is from before `olderThan`. */
  expire(olderThan: number, at: number): void {
    for (const channel of eventChannels) while (this.#dropOldest(channel, Infinity, olderThan, at) > 0);
  }

  #insertGapForUnwritten(channel: EventChannel, at: number): void {
    const state = this.#states[channel];
    const from = state.nextSeq;
    const to = from + state.unwritten - 1;
    this.#writeGap(channel, from, to, state.unwritten, at);
    state.dropped += state.unwritten;
    state.unwritten = 0;
    state.nextSeq = to + 1;
  }

  #write(channel: EventChannel, row: EventRow): void {
    this.#table.insert(channel, row);
    this.#states[channel].rows += 1;
    this.#states[channel].bytes += row.bytes;
  }

  #writeGap(channel: EventChannel, fromSeq: number, toSeq: number, dropped: number, at: number): void {
    const body = gapBody(fromSeq, toSeq, dropped);
    this.#write(channel, { seq: toSeq, at, bytes: Buffer.byteLength(body), lost: dropped, from_seq: fromSeq, body });
  }

  /**
   * Replaces the oldest rows of a channel that are not in flight by one gap, until `freeBytes` are free or a row is
   * younger than `olderThan`. Returns how many events went.
   */
  #dropOldest(channel: EventChannel, freeBytes: number, olderThan: number, at: number): number {
    const state = this.#states[channel];
    const rows = this.#table.rows(channel, state.inFlightUpto, maxRowsDropped);
    let freed = 0;
    let events = 0;
    let lost = 0;
    let last: EventRow | undefined;
    for (const row of rows) {
      if (freed >= freeBytes || (row.lost === 0 && row.at >= olderThan)) break;
      freed += row.bytes;
      events += row.lost === 0 ? 1 : 0;
      lost += row.lost === 0 ? 1 : row.lost;
      last = row;
    }
    const first = rows[0];
    if (first === undefined || last === undefined || events === 0) return 0;
    state.rows -= this.#table.removeBetween(channel, first.seq, last.seq);
    state.bytes -= freed;
    state.dropped += events;
    this.#writeGap(channel, first.from_seq, last.seq, lost, at);
    return events;
  }

  #sum(of: (state: ChannelState) => number): number {
    return Object.values(this.#states).reduce((total, state) => total + of(state), 0);
  }
}
