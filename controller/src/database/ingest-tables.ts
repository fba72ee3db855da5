/** The books of ingestion: how far each outbox is kept, what is missing, and what could not be: migration 0003. */
import type { EventChannel } from '@picket/shared/contract/topics';

export interface IngestTables {
  ingest_watermarks: IngestWatermarkRow;
  ingest_gaps: IngestGapRow;
  ingest_rejects: IngestRejectRow;
  ingest_totals: IngestTotalsRow;
}

/** How far each sequence of a gateway's outbox has been kept. */
export interface IngestWatermarkRow {
  gateway_id: string;
  epoch: string;
  channel: EventChannel;
  upto: number;
  /** First event behind a hole that nothing explains, since when and how often it was sent. */
  hole_seq: number | null;
  hole_since: string | null;
  hole_count: number;
  updated_at: string;
}

/** Events that are gone: dropped by the outbox, as it said itself, or never seen although all after them were. */
export interface IngestGapRow {
  gateway_id: string;
  epoch: string;
  channel: EventChannel;
  from_seq: number;
  to_seq: number;
  named_by: 'gateway' | 'controller';
  recorded_at: string;
}

/** Events that could not be stored, with the reason; the latest of each gateway. */
export interface IngestRejectRow {
  gateway_id: string;
  epoch: string;
  channel: EventChannel;
  seq: number;
  reason: string;
  /** JSON of the event, cut to 4,000 characters. */
  payload: string;
  at: string;
}

/** One row per gateway: its books, and the lock under which its batches are stored one after another. */
export interface IngestTotalsRow {
  gateway_id: string;
  batches: number;
  stored: number;
  duplicates: number;
  rejected: number;
  lost: number;
  last_batch_at: string;
}
