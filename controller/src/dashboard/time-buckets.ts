/**
 * Stretches of time for figures. A stretch is the first characters of an instant's text (a minute, an hour, a day in
 * UTC), which groups alike on every engine.
 */
import type { TimeSpan } from '../database/keyset.ts';
import { InvalidInput } from '../errors.ts';

export const buckets = {
  minute: { prefix: 16, ms: 60_000 },
  hour: { prefix: 13, ms: 3_600_000 },
  day: { prefix: 10, ms: 86_400_000 },
} as const;
export type BucketName = keyof typeof buckets;
export type Bucket = (typeof buckets)[BucketName];

/** More of them in one answer are no picture; days are as many as the history has. */
const maxBuckets = 2000;
const hourMs = 3_600_000;

/**
 * The stretch asked for, or one that suits the span: some tens to some hundreds of them. Throws `InvalidInput` where
 * minutes or hours would be too many.
 */
export function bucketFor(span: TimeSpan, now: Date, wanted?: BucketName): Bucket {
  const end = span.to === undefined ? now.getTime() : Date.parse(span.to);
  const length = span.from === undefined ? Infinity : end - Date.parse(span.from);
  if (wanted === undefined) {
    if (length <= 6 * hourMs) return buckets.minute;
    return length <= 7 * 24 * hourMs ? buckets.hour : buckets.day;
  }
  const bucket = buckets[wanted];
  if (bucket !== buckets.day && length / bucket.ms > maxBuckets) {
    const detail = `more than ${maxBuckets} of a ${wanted} in this time; ask for a shorter time or a longer bucket`;
    throw new InvalidInput(`bucket: ${detail}`, { fields: [{ pointer: '#/query/bucket', detail }] });
  }
  return bucket;
}

/** Start of the stretch that `key` (a beginning of an instant's text) names. */
export function instantOfBucket(key: string): string {
  return `${key}${'0000-01-01T00:00:00.000Z'.slice(key.length)}`;
}
