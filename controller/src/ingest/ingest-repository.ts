/** The books of ingestion: how far each sequence is kept, what was lost, what could not be stored. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { EventChannel } from '@picket/shared/contract/topics';
import type { Executor } from '../database/executor.ts';
import type { LostRange, RejectedEvent } from './batch-order.ts';

/** One sequence of one outbox. */
export interface Sequence {
  readonly gatewayId: GatewayId;
  readonly epoch: string;
  readonly channel: EventChannel;
}

export interface Watermark {
  readonly upto: number;
  /** First event behind an unexplained hole, since when and how often it was seen; null without one. */
  readonly hole: { readonly seq: number; readonly since: string; readonly count: number } | null;
}

export interface BatchTotals {
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly lost: number;
}

/** Rejected events that are kept of one gateway, roughly. */
export const keptRejects = 1000;

export class IngestRepository {
  readonly #writer: Executor;

  constructor(writer: Executor) {
    this.#writer = writer;
  }

  /** Runs `work` in one transaction; resolves after its commit has reached the disk. */
  inTransaction<T>(work: (executor: Executor) => Promise<T>): Promise<T> {
    return this.#writer.transaction().execute(work);
  }

  /** Batches of one gateway are stored one after another, whichever controller got them: this row is the lock. */
  async lockGateway(executor: Executor, gatewayId: GatewayId, now: string): Promise<void> {
    await executor
      .insertInto('ingest_totals')
      .values({ gateway_id: gatewayId, batches: 0, stored: 0, duplicates: 0, rejected: 0, lost: 0, last_batch_at: now })
      .onConflict((conflict) => conflict.column('gateway_id').doUpdateSet({ last_batch_at: now }))
      .execute();
  }

  async watermark(executor: Executor, sequence: Sequence): Promise<Watermark> {
    const row = await executor
      .selectFrom('ingest_watermarks')
      .select(['upto', 'hole_seq', 'hole_since', 'hole_count'])
      .where('gateway_id', '=', sequence.gatewayId)
      .where('epoch', '=', sequence.epoch)
      .where('channel', '=', sequence.channel)
      .executeTakeFirst();
    if (row === undefined) return { upto: 0, hole: null };
    const { upto, hole_seq: seq, hole_since: since, hole_count: count } = row;
    return { upto, hole: seq === null || since === null ? null : { seq, since, count } };
  }

  async saveWatermark(executor: Executor, sequence: Sequence, watermark: Watermark, now: string): Promise<void> {
    const state = {
      upto: watermark.upto,
      hole_seq: watermark.hole?.seq ?? null,
      hole_since: watermark.hole?.since ?? null,
      hole_count: watermark.hole?.count ?? 0,
      updated_at: now,
    };
    await executor
      .insertInto('ingest_watermarks')
      .values({ gateway_id: sequence.gatewayId, epoch: sequence.epoch, channel: sequence.channel, ...state })
      .onConflict((conflict) => conflict.columns(['gateway_id', 'epoch', 'channel']).doUpdateSet(state))
      .execute();
  }

  /** `named`: whether the gateway said so itself, or the controller gave up waiting. */
  async addGaps(
    executor: Executor,
    sequence: Sequence,
    ranges: readonly LostRange[],
    namedBy: 'gateway' | 'controller',
    now: string,
  ): Promise<void> {
    if (ranges.length === 0) return;
    await executor
      .insertInto('ingest_gaps')
      .values(
        ranges.map((range) => ({
          gateway_id: sequence.gatewayId,
          epoch: sequence.epoch,
          channel: sequence.channel,
          from_seq: range.fromSeq,
          to_seq: range.toSeq,
          named_by: namedBy,
          recorded_at: now,
        })),
      )
      .execute();
  }

  async addRejects(
    executor: Executor,
    sequence: Sequence,
    rejects: readonly RejectedEvent[],
    now: string,
  ): Promise<void> {
    if (rejects.length === 0) return;
    await executor
      .insertInto('ingest_rejects')
      .values(
        rejects.map((reject) => ({
          gateway_id: sequence.gatewayId,
          epoch: sequence.epoch,
          channel: sequence.channel,
          ...reject,
          at: now,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const oldestKept = executor
      .selectFrom('ingest_rejects')
      .select('at')
      .where('gateway_id', '=', sequence.gatewayId)
      .orderBy('at', 'desc')
      .limit(1)
      .offset(keptRejects - 1);
    await executor
      .deleteFrom('ingest_rejects')
      .where('gateway_id', '=', sequence.gatewayId)
      .where('at', '<', oldestKept)
      .execute();
  }

  async addTotals(executor: Executor, gatewayId: GatewayId, totals: BatchTotals): Promise<void> {
    await executor
      .updateTable('ingest_totals')
      .set((eb) => ({
        batches: eb('batches', '+', 1),
        stored: eb('stored', '+', totals.stored),
        duplicates: eb('duplicates', '+', totals.duplicates),
        rejected: eb('rejected', '+', totals.rejected),
        lost: eb('lost', '+', totals.lost),
      }))
      .where('gateway_id', '=', gatewayId)
      .execute();
  }
}
