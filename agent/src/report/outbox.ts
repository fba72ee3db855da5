/**
 * What the agent has to say, on disk until the controller has committed it. Bounded by bytes and age: room is given up
 * from the least important channel, oldest first, and every loss leaves a gap event in its channel, so that the
 * controller can tell a loss from a delay.
 */
import type { Logger } from 'pino';
import type { BootId } from '@picket/shared/contract/identifiers';
import { channelOf } from '@picket/shared/contract/envelope';
import type { Ack, EventBatch, EventBody, OutboxEvent } from '@picket/shared/contract/envelope';
import { protocolVersion } from '@picket/shared/contract/protocol-version';
import { eventChannels } from '@picket/shared/contract/topics';
import type { EventChannel } from '@picket/shared/contract/topics';
import { isCorruption, openOutboxFile } from './outbox-file.ts';
import { gapBody, OutboxTable, type EventRow } from './outbox-table.ts';

export interface OutboxOptions {
  /** SQLite file; made when missing. */
  readonly path: string;
  /** Bound of the events' own bytes; the file is somewhat larger. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Wall clock, milliseconds. */
  readonly now?: () => number;
}

export interface OutboxStats {
  readonly rows: number;
  readonly bytes: number;
  /** Events lost so far: room, age, or a disk that would not take them. */
  readonly dropped: number;
  readonly oldest_age_seconds: number;
}

type ReportedBody = Exclude<EventBody, { kind: 'gap' }>;

/** Worth an fsync: what a power cut must not take. The rest survives a crash of the agent, not of the machine. */
const durableKinds: ReadonlySet<EventBody['kind']> = new Set(['alert', 'decision']);

const maxBatchEvents = 500;
const maxBatchBytes = 240 * 1024; // with the envelope below the 256 KiB that a message may have
const eventOverheadBytes = 90; // seq, at and punctuation of one OutboxEvent
const maxEventBytes = 64 * 1024;
const ageCheckEveryMs = 10_000;
const complainEveryMs = 60_000;

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

export class Outbox implements Disposable {
  readonly #options: OutboxOptions;
  readonly #now: () => number;
  #table: OutboxTable;
  #epoch = '';
  #channels: Record<EventChannel, ChannelState> = emptyChannels();
  #lastAgeCheck = 0;
  #lastComplaint = -Infinity;

  private constructor(options: OutboxOptions, table: OutboxTable) {
    this.#options = options;
    this.#table = table;
    this.#now = options.now ?? Date.now;
  }

  /** Throws an AgentError when the file cannot be made; a corrupt one is moved aside and logged. */
  static open(options: OutboxOptions): Outbox {
    const { database, movedAside } = openOutboxFile(options.path);
    if (movedAside !== undefined)
      options.log.error({ movedAside }, 'the outbox file was corrupt; its unsent events are lost, a new one begins');
    const outbox = new Outbox(options, new OutboxTable(database));
    outbox.#load();
    return outbox;
  }

  /** Made with the file; sequence numbers belong to it. */
  get epoch(): string {
    return this.#epoch;
  }

  /**
   * Commits these events, in this order, in one transaction; the call returns after the commit. Alerts and decisions
   * are on the platter by then. Never throws for a full or broken disk: what could not be kept is counted.
   */
  add(bodies: readonly ReportedBody[]): void {
    if (bodies.length === 0) return;
    const durable = bodies.some((body) => durableKinds.has(body.kind));
    const kept = this.#attempt('write', () => {
      this.#table.useDurability(durable);
      this.#table.transaction(() => {
        const at = this.#now();
        for (const body of bodies) this.#insert(body, at);
        this.#enforceBounds();
        this.#saveChannels();
      });
    });
    if (!kept) for (const body of bodies) this.#channels[channelOf[body.kind]].unwritten += 1;
  }

  /**
   * The oldest events of a channel as one message, or undefined when there is nothing to send. They stay in flight, and
   * safe from dropping, until `acknowledge` or `release`.
   */
  nextBatch(channel: EventChannel, bootId: BootId): EventBatch | undefined {
    this.#expire();
    const events: OutboxEvent[] = [];
    let bytes = 0;
    for (const row of this.#oldest(channel)) {
      bytes += row.bytes + eventOverheadBytes;
      if (events.length > 0 && bytes > maxBatchBytes) break;
      events.push({ seq: row.seq, at: new Date(row.at).toISOString(), event: JSON.parse(row.body) as EventBody });
    }
    const last = events.at(-1);
    if (last === undefined) return undefined;
    this.#channels[channel].inFlightUpto = last.seq;
    return { protocol: protocolVersion, epoch: this.#epoch, boot_id: bootId, channel, events };
  }

  /** Nothing of this channel is in flight any more: the link broke, or no acknowledgement came in time. */
  release(channel: EventChannel): void {
    this.#channels[channel].inFlightUpto = 0;
  }

  /** Forgets what the controller has committed. False when the acknowledgement is for another epoch. */
  acknowledge(ack: Ack): boolean {
    if (ack.epoch !== this.#epoch) return false;
    if (ack.upto >= this.#channels[ack.channel].nextSeq) {
      this.#beginNewEpoch(ack);
      return false;
    }
    this.#attempt('forget acknowledged events', () => {
      this.#table.transaction(() => {
        const gone = this.#table.removeUpto(ack.channel, ack.upto);
        this.#channels[ack.channel].rows -= gone.rows;
        this.#channels[ack.channel].bytes -= gone.bytes;
      });
    });
    const state = this.#channels[ack.channel];
    if (ack.upto >= state.inFlightUpto) state.inFlightUpto = 0;
    return true;
  }

  stats(): OutboxStats {
    const states = Object.values(this.#channels);
    const oldest = Math.min(...eventChannels.map((name) => this.#oldestAt(name)));
    return {
      rows: sum(states, (state) => state.rows),
      bytes: sum(states, (state) => state.bytes),
      dropped: sum(states, (state) => state.dropped + state.unwritten),
      oldest_age_seconds: oldest === Infinity ? 0 : Math.max(0, (this.#now() - oldest) / 1000),
    };
  }

  /** Rows of one channel that wait for an acknowledgement. */
  waiting(channel: EventChannel): number {
    return this.#channels[channel].rows;
  }

  [Symbol.dispose](): void {
    this.#table[Symbol.dispose]();
  }

  #load(): void {
    this.#epoch = this.#table.epoch();
    for (const name of eventChannels) {
      Object.assign(this.#channels[name], this.#table.numbering(name));
      this.#attempt('read', () => Object.assign(this.#channels[name], this.#table.size(name)));
    }
  }

  #oldest(channel: EventChannel): readonly EventRow[] {
    let rows: readonly EventRow[] = [];
    this.#attempt('read', () => {
      rows = this.#table.rows(channel, 0, maxBatchEvents);
    });
    return rows;
  }

  /** Epoch milliseconds; Infinity where nothing waits. */
  #oldestAt(channel: EventChannel): number {
    let at = Infinity;
    this.#attempt('read', () => {
      at = this.#table.oldestAt(channel);
    });
    return at;
  }

  #insert(body: ReportedBody, at: number): void {
    const channel = channelOf[body.kind];
    const state = this.#channels[channel];
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

  #insertGapForUnwritten(channel: EventChannel, at: number): void {
    const state = this.#channels[channel];
    const from = state.nextSeq;
    const to = from + state.unwritten - 1;
    this.#writeGap(channel, from, to, state.unwritten, at);
    state.dropped += state.unwritten;
    state.unwritten = 0;
    state.nextSeq = to + 1;
  }

  #write(channel: EventChannel, row: EventRow): void {
    this.#table.insert(channel, row);
    this.#channels[channel].rows += 1;
    this.#channels[channel].bytes += row.bytes;
  }

  #writeGap(channel: EventChannel, fromSeq: number, toSeq: number, dropped: number, at: number): void {
    const body = gapBody(fromSeq, toSeq, dropped);
    this.#write(channel, { seq: toSeq, at, bytes: Buffer.byteLength(body), lost: dropped, from_seq: fromSeq, body });
  }

  /** Inside a transaction. Frees a little more than needed, so that a full outbox does not pay for every event. */
  #enforceBounds(): void {
    const total = (): number => sum(Object.values(this.#channels), (state) => state.bytes);
    if (total() <= this.#options.maxBytes) return;
    const target = this.#options.maxBytes * 0.95;
    for (const channel of eventChannels.toReversed()) {
      while (total() > target && this.#dropOldest(channel, total() - target, Infinity) > 0);
      if (total() <= target) break;
    }
  }

  #expire(): void {
    const now = this.#now();
    if (now - this.#lastAgeCheck < ageCheckEveryMs) return;
    this.#lastAgeCheck = now;
    this.#attempt('drop old events', () => {
      this.#table.transaction(() => {
        for (const channel of eventChannels)
          while (this.#dropOldest(channel, Infinity, now - this.#options.maxAgeMs) > 0);
        this.#saveChannels();
      });
    });
  }

  /**
   * Replaces the oldest rows of a channel that are not in flight by one gap, until `freeBytes` are free or a row is
   * younger than `olderThan`. Returns how many events went.
   */
  #dropOldest(channel: EventChannel, freeBytes: number, olderThan: number): number {
    const state = this.#channels[channel];
    const rows = this.#table.rows(channel, state.inFlightUpto, 1000);
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
    this.#writeGap(channel, first.from_seq, last.seq, lost, this.#now());
    return events;
  }

  #saveChannels(): void {
    for (const name of eventChannels) this.#table.saveNumbering(name, this.#channels[name]);
  }

  /**
   * The controller has more than this file ever held: the file is an old copy. Its numbers would be taken for
   * duplicates, so everything that waits is numbered anew under a new epoch.
   */
  #beginNewEpoch(ack: Ack): void {
    this.#options.log.warn({ ack }, 'the outbox file is older than what the controller has; a new epoch begins');
    this.#attempt('begin a new epoch', () => this.#table.transaction(() => this.#table.beginNewEpoch()));
    this.#channels = emptyChannels(this.#channels);
    this.#load();
  }

  /** False when the disk would not; the counters are then what the file says. */
  #attempt(what: string, work: () => void): boolean {
    const before = structuredClone(this.#channels);
    try {
      work();
      return true;
    } catch (error) {
      this.#channels = before;
      this.#complain(what, error);
      if (isCorruption(error)) this.#startOver();
      return false;
    }
  }

  #complain(what: string, error: unknown): void {
    const now = this.#now();
    if (now - this.#lastComplaint < complainEveryMs) return;
    this.#lastComplaint = now;
    const dropped = sum(Object.values(this.#channels), (state) => state.dropped + state.unwritten);
    this.#options.log.error(
      { err: error, dropped },
      `the outbox cannot ${what}: free space on the disk of ${this.#options.path}; events are counted as lost meanwhile`,
    );
  }

  #startOver(): void {
    const lost = emptyChannels(this.#channels);
    for (const name of eventChannels) lost[name].unwritten += this.#channels[name].rows;
    this.#table[Symbol.dispose]();
    const { database, movedAside } = openOutboxFile(this.#options.path);
    this.#table = new OutboxTable(database);
    this.#channels = lost;
    this.#options.log.error({ movedAside }, 'the outbox file became unreadable; a new one begins');
    this.#load();
  }
}

/** Fresh counters; what could not be written is carried over, for it is still to be reported. */
function emptyChannels(previous?: Record<EventChannel, ChannelState>): Record<EventChannel, ChannelState> {
  const fresh = (name: EventChannel): ChannelState => ({
    nextSeq: 1,
    rows: 0,
    bytes: 0,
    dropped: 0,
    inFlightUpto: 0,
    unwritten: previous?.[name].unwritten ?? 0,
  });
  return Object.fromEntries(eventChannels.map((name) => [name, fresh(name)])) as Record<EventChannel, ChannelState>;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
