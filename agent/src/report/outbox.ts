/**
 * What the agent has to say, on disk until the controller has committed it. Bounded by bytes and age: room is given up
 * from the least important channel, oldest first, and every loss leaves a gap event in its channel, so that the
 * controller can tell a loss from a delay. A disk that will not is complained of and never waited for.
 */
import type { Logger } from 'pino';
import type { BootId } from '@picket/shared/contract/identifiers';
import { channelOf } from '@picket/shared/contract/envelope';
import type { Ack, EventBatch, EventBody, OutboxEvent } from '@picket/shared/contract/envelope';
import { protocolVersion } from '@picket/shared/contract/protocol-version';
import { eventChannels } from '@picket/shared/contract/topics';
import type { EventChannel } from '@picket/shared/contract/topics';
import { OutboxChannels, type ReportedBody } from './outbox-channels.ts';
import { isCorruption, openOutboxFile } from './outbox-file.ts';
import { OutboxTable, type EventRow } from './outbox-table.ts';

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

/** Worth an fsync: what a power cut must not take. The rest survives a crash of the agent, not of the machine. */
const durableKinds: ReadonlySet<EventBody['kind']> = new Set(['alert', 'decision']);

const maxBatchEvents = 500;
const maxBatchBytes = 240 * 1024; // with the envelope below the 256 KiB that a message may have
const eventOverheadBytes = 90; // seq, at and punctuation of one OutboxEvent
const ageCheckEveryMs = 10_000;
const complainEveryMs = 60_000;

export class Outbox implements Disposable {
  readonly #options: OutboxOptions;
  readonly #now: () => number;
  #table: OutboxTable;
  #epoch = '';
  #channels: OutboxChannels;
  #lastAgeCheck = 0;
  #lastComplaint = -Infinity;

  private constructor(options: OutboxOptions, table: OutboxTable) {
    this.#options = options;
    this.#table = table;
    this.#channels = new OutboxChannels(table);
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
        for (const body of bodies) this.#channels.insert(body, at);
        this.#channels.keepWithin(this.#options.maxBytes, at);
        this.#channels.saveNumbering();
      });
    });
    if (!kept) for (const body of bodies) this.#channels.noteUnwritten(channelOf[body.kind]);
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
    this.#channels.holdUpto(channel, last.seq);
    return { protocol: protocolVersion, epoch: this.#epoch, boot_id: bootId, channel, events };
  }

  /** Nothing of this channel is in flight any more: the link broke, or no acknowledgement came in time. */
  release(channel: EventChannel): void {
    this.#channels.holdUpto(channel, 0);
  }

  /** Forgets what the controller has committed. False when the acknowledgement is for another epoch. */
  acknowledge(ack: Ack): boolean {
    if (ack.epoch !== this.#epoch) return false;
    if (!this.#channels.hasNumbered(ack.channel, ack.upto)) {
      this.#beginNewEpoch(ack);
      return false;
    }
    this.#attempt('forget acknowledged events', () => this.#table.transaction(() => this.#channels.forget(ack)));
    this.#channels.noteCommitted(ack);
    return true;
  }

  stats(): OutboxStats {
    const oldest = Math.min(...eventChannels.map((name) => this.#oldestAt(name)));
    return {
      rows: this.#channels.rows,
      bytes: this.#channels.bytes,
      dropped: this.#channels.dropped,
      oldest_age_seconds: oldest === Infinity ? 0 : Math.max(0, (this.#now() - oldest) / 1000),
    };
  }

  /** Rows of one channel that wait for an acknowledgement. */
  waiting(channel: EventChannel): number {
    return this.#channels.waiting(channel);
  }

  [Symbol.dispose](): void {
    this.#table[Symbol.dispose]();
  }

  #load(): void {
    this.#epoch = this.#table.epoch();
    for (const name of eventChannels) {
      this.#channels.readNumbering(name);
      this.#attempt('read', () => this.#channels.readSize(name));
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

  #expire(): void {
    const now = this.#now();
    if (now - this.#lastAgeCheck < ageCheckEveryMs) return;
    this.#lastAgeCheck = now;
    this.#attempt('drop old events', () => {
      this.#table.transaction(() => {
        this.#channels.expire(now - this.#options.maxAgeMs, now);
        this.#channels.saveNumbering();
      });
    });
  }

  /**
   * The controller has more than this file ever held: the file is an old copy. Its numbers would be taken for
   * duplicates, so everything that waits is numbered anew under a new epoch.
   */
  #beginNewEpoch(ack: Ack): void {
    this.#options.log.warn({ ack }, 'the outbox file is older than what the controller has; a new epoch begins');
    this.#attempt('begin a new epoch', () => this.#table.transaction(() => this.#table.beginNewEpoch()));
    this.#channels = new OutboxChannels(this.#table, this.#channels.unwritten());
    this.#load();
  }

  /** False when the disk would not; the counters are then what the file says. */
  #attempt(what: string, work: () => void): boolean {
    const before = this.#channels.snapshot();
    try {
      work();
      return true;
    } catch (error) {
      this.#channels.restore(before);
      this.#complain(what, error);
      if (isCorruption(error)) this.#startOver();
      return false;
    }
  }

  #complain(what: string, error: unknown): void {
    const now = this.#now();
    if (now - this.#lastComplaint < complainEveryMs) return;
    this.#lastComplaint = now;
    const { dropped } = this.#channels;
    this.#options.log.error(
      { err: error, dropped },
      `the outbox cannot ${what}: free space on the disk of ${this.#options.path}; events are counted as lost meanwhile`,
    );
  }

  #startOver(): void {
    const lost = this.#channels.unwrittenWithoutFile();
    this.#table[Symbol.dispose]();
    const { database, movedAside } = openOutboxFile(this.#options.path);
    this.#table = new OutboxTable(database);
    this.#channels = new OutboxChannels(this.#table, lost);
    this.#options.log.error({ movedAside }, 'the outbox file became unreadable; a new one begins');
    this.#load();
  }
}
