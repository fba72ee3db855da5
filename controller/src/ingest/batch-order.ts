/**
 * What of a batch is new, and how far its sequence is kept afterwards. Pure: the transaction around it holds the lock.
 * Sequences run without holes per epoch and channel, so an event is kept only when all before it are kept, are named as
 * lost by a gap event, or could never be stored.
 */
import { channelOf, OutboxEvent } from '@picket/shared/contract/envelope';
import type { EventBody } from '@picket/shared/contract/envelope';
import type { EventChannel } from '@picket/shared/contract/topics';

export interface RawEvent {
  readonly seq: number;
  readonly [member: string]: unknown;
}

type Body<K extends EventBody['kind']> = Extract<EventBody, { kind: K }>;
export type StorableBody = Exclude<EventBody, { kind: 'gap' }>;

/** An event that goes into the history, with the agent's wall clock when it was recorded. */
export interface StorableEvent {
  readonly seq: number;
  readonly at: string;
  readonly event: StorableBody;
}

export interface RejectedEvent {
  readonly seq: number;
  readonly reason: string;
  readonly payload: string;
}

export interface LostRange {
  readonly fromSeq: number;
  readonly toSeq: number;
}

export interface JudgedBatch {
  readonly stored: readonly StorableEvent[];
  readonly rejected: readonly RejectedEvent[];
  readonly lost: readonly LostRange[];
  readonly duplicates: number;
  /** Everything up to here is settled. */
  readonly upto: number;
  /** First number behind a hole that nothing explains; its event and all after it were left alone. */
  readonly hole: number | undefined;
}

const maxPayloadCharacters = 4000;

/** `upto`: how far the sequence was kept before. Order and repetitions within `events` do not matter. */
export function judgeBatch(channel: EventChannel, events: readonly RawEvent[], upto: number): JudgedBatch {
  const stored: StorableEvent[] = [];
  const rejected: RejectedEvent[] = [];
  const lost: LostRange[] = [];
  let duplicates = 0;
  let hole: number | undefined;
  for (const raw of events.toSorted((a, b) => a.seq - b.seq)) {
    if (raw.seq <= upto) {
      duplicates += 1;
      continue;
    }
    const read = readEvent(channel, raw);
    const begins = 'gap' in read ? read.gap.from_seq : raw.seq;
    if (begins > upto + 1) {
      hole = begins;
      break;
    }
    if ('gap' in read) lost.push({ fromSeq: upto + 1, toSeq: raw.seq });
    else if ('reason' in read) rejected.push(rejectedEvent(raw, read.reason));
    else stored.push(read);
    upto = raw.seq;
  }
  return { stored, rejected, lost, duplicates, upto, hole };
}

/** What is kept of an event that cannot be stored, so that its maker can be told. */
export function rejectedEvent(raw: RawEvent, reason: string): RejectedEvent {
  const payload = JSON.stringify(raw)
    .slice(0, maxPayloadCharacters)
    .replaceAll(String.raw`\u0000`, String.raw`\ufffd`);
  return { seq: raw.seq, reason: reason.slice(0, 500), payload };
}

function readEvent(
  channel: EventChannel,
  raw: RawEvent,
): StorableEvent | { readonly gap: Body<'gap'>['body'] } | { readonly reason: string } {
  const parsed = OutboxEvent.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}` };
  }
  const { seq, event } = parsed.data;
  if (event.kind === 'gap') {
    return event.body.to_seq === seq && event.body.from_seq <= seq
      ? { gap: event.body }
      : { reason: 'event.body: a gap ends at its own seq and begins at or before it' };
  }
  if (channelOf[event.kind] !== channel) return { reason: `event.kind: ${event.kind} does not belong on ${channel}` };
  // PostgreSQL keeps no NUL in text; refused on both engines alike.
  if (JSON.stringify(event).includes(String.raw`\u0000`)) return { reason: 'event: a text holds a NUL character' };
  return { seq, at: instant(parsed.data.at), event };
}

/** As the database keeps instants: UTC with milliseconds, so that they sort as text. */
export function instant(text: string): string {
  return text.length === 24 && text.endsWith('Z') ? text : new Date(text).toISOString();
}
