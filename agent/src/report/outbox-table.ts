/**
 * The outbox's SQL and nothing else: the rows of events, how far each channel is numbered, and the epoch. What may be lost,
 * and what then, is decided in `outbox-channels.ts`. Every call may throw what SQLite throws.
 */
import type Database from 'better-sqlite3';
import { newId } from '@picket/shared/contract/identifiers';
import type { EventBody } from '@picket/shared/contract/envelope';
import { eventChannels } from '@picket/shared/contract/topics';
import type { EventChannel } from '@picket/shared/contract/topics';

/** One event, or a gap in the place of those that were lost. */
export interface EventRow {
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly bytes: number;
  /** 0: an event; else a gap that stands for so many. */
  readonly lost: number;
  /** First number of a gap; that of the event itself. */
  readonly from_seq: number;
  /** JSON of the `EventBody`. */
  readonly body: string;
}

export interface Size {
  readonly rows: number;
  readonly bytes: number;
}

export class OutboxTable implements Disposable {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  /** Takes the database over. */
  constructor(database: Database.Database) {
    this.#database = database;
  }

  transaction(work: () => void): void {
    this.#database.transaction(work).immediate();
  }

  /** Of the transactions from now on: whether a power cut must not take what they commit. */
  useDurability(isDurable: boolean): void {
    this.#database.pragma(`synchronous = ${isDurable ? 'FULL' : 'NORMAL'}`);
  }

  /** Made, with its channels, where the file is new. */
  epoch(): string {
    this.transaction(() => {
      this.#prepare("INSERT INTO meta VALUES ('epoch', ?) ON CONFLICT DO NOTHING").run(newId());
      for (const name of eventChannels)
        this.#prepare('INSERT INTO channel VALUES (?, 1, 0) ON CONFLICT DO NOTHING').run(name);
    });
    const row = this.#get("SELECT value FROM meta WHERE key = 'epoch'") as { value: string } | undefined;
    return row?.value ?? '';
  }

  numbering(channel: EventChannel): { readonly nextSeq: number; readonly dropped: number } {
    const row = this.#get('SELECT next_seq, dropped FROM channel WHERE name = ?', channel) as
      | { next_seq: number; dropped: number }
      | undefined;
    return { nextSeq: row?.next_seq ?? 1, dropped: row?.dropped ?? 0 };
  }

  saveNumbering(channel: EventChannel, { nextSeq, dropped }: { nextSeq: number; dropped: number }): void {
    this.#prepare('UPDATE channel SET next_seq = ?, dropped = ? WHERE name = ?').run(nextSeq, dropped, channel);
  }

  size(channel: EventChannel): Size {
    return this.#sizeWhere('channel = ?', channel);
  }

  /** Epoch milliseconds; Infinity where nothing waits. */
  oldestAt(channel: EventChannel): number {
    const row = this.#get('SELECT min(at) AS at FROM event WHERE channel = ?', channel) as { at: number | null };
    return row.at ?? Infinity;
  }

  /** The oldest first, behind number `after`. */
  rows(channel: EventChannel, after: number, limit: number): readonly EventRow[] {
    return this.#prepare('SELECT * FROM event WHERE channel = ? AND seq > ? ORDER BY seq LIMIT ?').all(
      channel,
      after,
      limit,
    ) as readonly EventRow[];
  }

  insert(channel: EventChannel, { seq, at, bytes, lost, from_seq, body }: EventRow): void {
    this.#prepare('INSERT INTO event (channel, seq, at, bytes, lost, from_seq, body) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      channel,
      seq,
      at,
      bytes,
      lost,
      from_seq,
      body,
    );
  }

  /** Returns what went. */
  removeUpto(channel: EventChannel, seq: number): Size {
    const gone = this.#sizeWhere('channel = ? AND seq <= ?', channel, seq);
    this.#prepare('DELETE FROM event WHERE channel = ? AND seq <= ?').run(channel, seq);
    return gone;
  }

  /** Both ends included. Returns how many rows went. */
  removeBetween(channel: EventChannel, fromSeq: number, toSeq: number): number {
    return this.#prepare('DELETE FROM event WHERE channel = ? AND seq BETWEEN ? AND ?').run(channel, fromSeq, toSeq)
      .changes;
  }

  /** Inside a transaction: what waits is numbered from 1 on in every channel, under a new epoch. */
  beginNewEpoch(): void {
    this.#prepare("UPDATE meta SET value = ? WHERE key = 'epoch'").run(newId());
    for (const name of eventChannels) {
      const first = this.#get('SELECT min(from_seq) AS seq FROM event WHERE channel = ?', name) as {
        seq: number | null;
      };
      const offset = (first.seq ?? this.numbering(name).nextSeq) - 1;
      // by way of negative numbers, so that no two rows ever have the same one
      this.#prepare('UPDATE event SET seq = -(seq - @offset), from_seq = from_seq - @offset WHERE channel = @name').run(
        { offset, name },
      );
      this.#prepare('UPDATE event SET seq = -seq WHERE channel = ? AND seq < 0').run(name);
      this.#prepare('UPDATE channel SET next_seq = next_seq - ? WHERE name = ?').run(offset, name);
    }
    this.#renumberGapBodies();
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#database.close();
  }

  #renumberGapBodies(): void {
    const gaps = this.#prepare('SELECT * FROM event WHERE lost > 0').all() as readonly (EventRow & {
      channel: string;
    })[];
    const update = this.#prepare('UPDATE event SET body = ? WHERE channel = ? AND seq = ?');
    for (const { channel, from_seq, seq, lost } of gaps) update.run(gapBody(from_seq, seq, lost), channel, seq);
  }

  #sizeWhere(condition: string, ...parameters: readonly unknown[]): Size {
    const sql = `SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes FROM event WHERE ${condition}`;
    return this.#get(sql, ...parameters) as Size;
  }

  #get(sql: string, ...parameters: readonly unknown[]): unknown {
    return this.#prepare(sql).get(...parameters);
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** The event that stands for `dropped` lost ones. */
export function gapBody(fromSeq: number, toSeq: number, dropped: number): string {
  const gap: EventBody = { kind: 'gap', body: { from_seq: fromSeq, to_seq: toSeq, dropped } };
  return JSON.stringify(gap);
}
