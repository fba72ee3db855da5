/**
 * Batches of events into the history, each exactly once: one transaction per batch, in the order of their numbers, and
 * an acknowledgement only after its commit. Whatever a batch holds, its channel goes on: an event that cannot be stored
 * is set aside with the reason, and a hole that the gateway cannot fill is given up and counted.
 */
import type { Ack } from '@picket/shared/contract/envelope';
import type { Executor } from '../database/executor.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import { publishAll } from '../live/live-message.ts';
import { judgeBatch, rejectedEvent, type JudgedBatch, type RawEvent } from './batch-order.ts';
import { isDataError } from './data-error.ts';
import type { EventStores } from './event-stores.ts';
import type { IngestRepository, Sequence, Watermark } from './ingest-repository.ts';

/** A gateway that begins behind the same hole this often, for this long, does not have what is missing. */
const holeDeliveries = 3;
const holePatienceMs = 60_000;

export interface IngestCounters {
  readonly batches: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** By the word of the gateways, or given up. */
  readonly lost: number;
  /** Batches that began behind a hole. */
  readonly holes: number;
}

export class IngestService {
  readonly #books: IngestRepository;
  readonly #stores: EventStores;
  readonly #live: LiveFeed;
  readonly #now: () => Date;
  readonly #counters = { batches: 0, stored: 0, duplicates: 0, rejected: 0, lost: 0, holes: 0 };

  constructor(
    parts: { books: IngestRepository; stores: EventStores; live: LiveFeed },
    now: () => Date = () => new Date(),
  ) {
    this.#books = parts.books;
    this.#stores = parts.stores;
    this.#live = parts.live;
    this.#now = now;
  }

  /** Since this process began. */
  get counters(): IngestCounters {
    return { ...this.#counters };
  }

  /** Resolves after the commit. Rejects only where the database is away: the gateway then sends again. */
  async store(sequence: Sequence, events: readonly RawEvent[]): Promise<Ack> {
    const upto = await this.#storeOrHalve(
      sequence,
      events.toSorted((a, b) => a.seq - b.seq),
    );
    return { epoch: sequence.epoch, channel: sequence.channel, upto };
  }

  /** The database refuses a statement as a whole: halving finds the event that it cannot take. */
  async #storeOrHalve(sequence: Sequence, events: readonly RawEvent[]): Promise<number> {
    try {
      return await this.#storeBatch(sequence, events, undefined);
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (events.length === 1) return this.#storeBatch(sequence, events, error.message);
      const middle = Math.ceil(events.length / 2);
      await this.#storeOrHalve(sequence, events.slice(0, middle));
      return this.#storeOrHalve(sequence, events.slice(middle));
    }
  }

  async #storeBatch(sequence: Sequence, events: readonly RawEvent[], refusal: string | undefined): Promise<number> {
    const books = this.#books;
    const now = this.#now();
    const { judged, messages } = await books.inTransaction(async (executor) => {
      await books.lockGateway(executor, sequence.gatewayId, now.toISOString());
      const before = await books.watermark(executor, sequence);
      const judged = withRefusal(judgeBatch(sequence.channel, events, before.upto), events, refusal);
      const messages = await this.#stores.store(executor, sequence.gatewayId, judged.stored);
      await this.#keepBooks(executor, sequence, before, judged, now);
      return { judged, messages };
    });
    this.#count(judged);
    publishAll(this.#live, messages);
    return judged.hole !== undefined && (await this.#giveUp(sequence, judged, now))
      ? this.#storeBatch(sequence, events, refusal)
      : judged.upto;
  }

  async #keepBooks(
    executor: Executor,
    sequence: Sequence,
    before: Watermark,
    judged: JudgedBatch,
    at: Date,
  ): Promise<void> {
    const books = this.#books;
    const now = at.toISOString();
    await books.addGaps(executor, sequence, judged.lost, 'gateway', now);
    await books.addRejects(executor, sequence, judged.rejected, now);
    const hole = holeAfter(before, judged, now);
    if (judged.upto !== before.upto || hole !== null || before.hole !== null) {
      await books.saveWatermark(executor, sequence, { upto: judged.upto, hole }, now);
    }
    await books.addTotals(executor, sequence.gatewayId, {
      stored: judged.stored.length,
      duplicates: judged.duplicates,
      rejected: judged.rejected.length,
      lost: lostIn(judged),
    });
  }

  /** True where the hole has been given up, so that what lies behind it can be stored. */
  async #giveUp(sequence: Sequence, judged: JudgedBatch, now: Date): Promise<boolean> {
    const books = this.#books;
    this.#counters.holes += 1;
    return books.inTransaction(async (executor) => {
      await books.lockGateway(executor, sequence.gatewayId, now.toISOString());
      const { upto, hole } = await books.watermark(executor, sequence);
      if (hole === null || hole.seq !== judged.hole || upto !== judged.upto) return false;
      if (hole.count < holeDeliveries || now.getTime() - Date.parse(hole.since) < holePatienceMs) return false;
      const missing = { fromSeq: upto + 1, toSeq: hole.seq - 1 };
      const lost = missing.toSeq - missing.fromSeq + 1;
      await books.addGaps(executor, sequence, [missing], 'controller', now.toISOString());
      await books.saveWatermark(executor, sequence, { upto: missing.toSeq, hole: null }, now.toISOString());
      await books.addTotals(executor, sequence.gatewayId, { stored: 0, duplicates: 0, rejected: 0, lost });
      this.#counters.lost += lost;
      return true;
    });
  }

  #count(judged: JudgedBatch): void {
    this.#counters.batches += 1;
    this.#counters.stored += judged.stored.length;
    this.#counters.duplicates += judged.duplicates;
    this.#counters.rejected += judged.rejected.length;
    this.#counters.lost += lostIn(judged);
  }
}

function withRefusal(judged: JudgedBatch, events: readonly RawEvent[], refusal: string | undefined): JudgedBatch {
  if (refusal === undefined) return judged;
  const refused = new Set(judged.stored.map((event) => event.seq));
  return {
    ...judged,
    stored: [],
    rejected: [
      ...judged.rejected,
      ...events.filter((raw) => refused.has(raw.seq)).map((raw) => rejectedEvent(raw, refusal)),
    ],
  };
}

function holeAfter(before: Watermark, judged: JudgedBatch, now: string): Watermark['hole'] {
  if (judged.hole === undefined) return judged.upto === before.upto ? before.hole : null;
  return before.hole?.seq === judged.hole && before.upto === judged.upto
    ? { ...before.hole, count: before.hole.count + 1 }
    : { seq: judged.hole, since: now, count: 1 };
}

function lostIn(judged: JudgedBatch): number {
  return judged.lost.reduce((sum, range) => sum + range.toSeq - range.fromSeq + 1, 0);
}
