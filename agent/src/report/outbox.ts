/**
 * What the agent has to say, on disk until the controller has committed it. Bounded by bytes and age: room is given up
 * from the least important channel, oldest first, and every loss leaves a gap event in its channel, so that the
 * controller can tell a loss from a delay.
 */
import type Database from 'better-sqlite3';
import type { Logger } from 'pino';
import { newId } from '@picket/shared/contract/identifiers';
import type { BootId } from '@picket/shared/contract/identifiers';
import type { Ack, EventBatch, EventBody, OutboxEvent } from '@picket/shared/contract/envelope';
import { protocolVersion } from '@picket/shared/contract/protocol-version';
import { eventChannels } from '@picket/shared/contract/topics';
import type { EventChannel } from '@picket/shared/contract/topics';
import { isCorruption, openOutboxFile } from './outbox-file.ts';

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

const channelOf = {
  alert: 'alerts',
  decision: 'decisions',
  unblock: 'decisions',
  device: 'devices',
  prediction: 'predictions',
  flow: 'flows',
  counters: 'counters',
} as const satisfies Record<ReportedBody['kind'], EventChannel>;

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

interface EventRow {
  readonly seq: number;
  readonly at: number;
  readonly bytes: number;
  readonly lost: number;
  readonly from_seq: number;
  readonly body: string;
}

export class Outbox implements Disposable {
  readonly #options: OutboxOptions;
  readonly #now: () => number;
  #database: Database.Database;
  #epoch = '';
  #channels: Record<EventChannel, ChannelState> = emptyChannels();
  #lastAgeCheck = 0;
  #lastComplaint = -Infinity;
  readonly #statements = new Map<string, Database.Statement>();

  private constructor(options: OutboxOptions, database: Database.Database) {
    this.#options = options;
    this.#database = database;
    this.#now = options.now ?? Date.now;
  }

  /** Throws an AgentError when the file cannot be made; a corrupt one is moved aside and logged. */
  static open(options: OutboxOptions): Outbox {
    const { database, movedAside } = openOutboxFile(options.path);
    if (movedAside !== undefined)
      options.log.error({ movedAside }, 'the outbox file was corrupt; its unsent events are lost, a new one begins');
    const outbox = new Outbox(options, database);
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
      this.#database.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
      this.#transaction(() => {
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
    const rows = this.#query(
      'SELECT * FROM event WHERE channel = ? ORDER BY seq LIMIT ?',
      channel,
      maxBatchEvents,
    ) as Iterable<EventRow>;
    for (const row of rows) {
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
      this.#transaction(() => {
        const acknowledged = 'FROM event WHERE channel = ? AND seq <= ?';
        const sizes = `SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes ${acknowledged}`;
        const [gone] = this.#all(sizes, ack.channel, ack.upto) as readonly { rows: number; bytes: number }[];
        this.#prepare(`DELETE ${acknowledged}`).run(ack.channel, ack.upto);
        this.#channels[ack.channel].rows -= gone?.rows ?? 0;
        this.#channels[ack.channel].bytes -= gone?.bytes ?? 0;
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
    this.#database.close();
  }

  #load(): void {
    this.#transaction(() => {
      this.#prepare("INSERT INTO meta VALUES ('epoch', ?) ON CONFLICT DO NOTHING").run(newId());
      for (const name of eventChannels)
        this.#prepare('INSERT INTO channel VALUES (?, 1, 0) ON CONFLICT DO NOTHING').run(name);
    });
    const [epoch] = this.#all("SELECT value FROM meta WHERE key = 'epoch'") as readonly { value: string }[];
    this.#epoch = epoch?.value ?? '';
    for (const name of eventChannels) {
      const [row] = this.#all('SELECT next_seq, dropped FROM channel WHERE name = ?', name) as readonly {
        next_seq: number;
        dropped: number;
      }[];
      this.#channels[name].nextSeq = row?.next_seq ?? 1;
      this.#channels[name].dropped = row?.dropped ?? 0;
      this.#count(name);
    }
  }

  /** Epoch milliseconds; Infinity where nothing waits. */
  #oldestAt(channel: EventChannel): number {
    const sql = 'SELECT min(at) AS at FROM event WHERE channel = ?';
    const [row] = this.#query(sql, channel) as Iterable<{ at: number | null }>;
    return row?.at ?? Infinity;
  }

  #count(channel: EventChannel): void {
    const [row] = this.#query(
      'SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes FROM event WHERE channel = ?',
      channel,
    ) as Iterable<{ rows: number; bytes: number }>;
    if (row !== undefined) Object.assign(this.#channels[channel], row);
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
    this.#prepare('INSERT INTO event (channel, seq, at, bytes, lost, from_seq, body) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      channel,
      row.seq,
      row.at,
      row.bytes,
      row.lost,
      row.from_seq,
      row.body,
    );
    this.#channels[channel].rows += 1;
    this.#channels[channel].bytes += row.bytes;
  }

  #writeGap(channel: EventChannel, fromSeq: number, toSeq: number, dropped: number, at: number): void {
    const gap: EventBody = { kind: 'gap', body: { from_seq: fromSeq, to_seq: toSeq, dropped } };
    const body = JSON.stringify(gap);
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
      this.#transaction(() => {
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
    const rows = this.#all(
      'SELECT * FROM event WHERE channel = ? AND seq > ? ORDER BY seq LIMIT 1000',
      channel,
      state.inFlightUpto,
    ) as readonly EventRow[];
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
    const removed = this.#prepare('DELETE FROM event WHERE channel = ? AND seq BETWEEN ? AND ?').run(
      channel,
      first.seq,
      last.seq,
    ).changes;
    state.rows -= removed;
    state.bytes -= freed;
    state.dropped += events;
    this.#writeGap(channel, first.from_seq, last.seq, lost, this.#now());
    return events;
  }

  #saveChannels(): void {
    const save = this.#prepare('UPDATE channel SET next_seq = ?, dropped = ? WHERE name = ?');
    for (const name of eventChannels) save.run(this.#channels[name].nextSeq, this.#channels[name].dropped, name);
  }

  /**
   * The controller has more than this file ever held: the file is an old copy. Its numbers would be taken for
   * duplicates, so everything that waits is numbered anew under a new epoch.
   */
  #beginNewEpoch(ack: Ack): void {
    this.#options.log.warn({ ack }, 'the outbox file is older than what the controller has; a new epoch begins');
    this.#attempt('begin a new epoch', () => {
      this.#transaction(() => {
        this.#prepare("UPDATE meta SET value = ? WHERE key = 'epoch'").run(newId());
        for (const name of eventChannels) {
          const [first] = this.#all('SELECT min(from_seq) AS from_seq FROM event WHERE channel = ?', name) as readonly {
            from_seq: number | null;
          }[];
          const offset = (first?.from_seq ?? this.#channels[name].nextSeq) - 1;
          const renumber =
            'UPDATE event SET seq = -(seq - @offset), from_seq = from_seq - @offset WHERE channel = @name';
          this.#prepare(renumber).run({ offset, name });
          this.#prepare('UPDATE event SET seq = -seq WHERE channel = ? AND seq < 0').run(name);
          this.#prepare('UPDATE channel SET next_seq = next_seq - ? WHERE name = ?').run(offset, name);
        }
        this.#renumberGapBodies();
      });
    });
    this.#channels = emptyChannels(this.#channels);
    this.#load();
  }

  #renumberGapBodies(): void {
    const gaps = this.#all('SELECT * FROM event WHERE lost > 0') as readonly (EventRow & { channel: string })[];
    const update = this.#prepare('UPDATE event SET body = ? WHERE channel = ? AND seq = ?');
    for (const gap of gaps) {
      const body: EventBody = { kind: 'gap', body: { from_seq: gap.from_seq, to_seq: gap.seq, dropped: gap.lost } };
      update.run(JSON.stringify(body), gap.channel, gap.seq);
    }
  }

  #all(sql: string, ...parameters: readonly unknown[]): readonly unknown[] {
    return this.#prepare(sql).all(...parameters);
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #transaction(work: () => void): void {
    this.#database.transaction(work).immediate();
  }

  #query(sql: string, ...parameters: readonly unknown[]): Iterable<unknown> {
    let rows: readonly unknown[] = [];
    this.#attempt('read', () => {
      rows = this.#prepare(sql).all(...parameters);
    });
    return rows;
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
    this.#statements.clear();
    this.#database.close();
    const { database, movedAside } = openOutboxFile(this.#options.path);
    this.#database = database;
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
