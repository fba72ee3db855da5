/**
 * Stretches of time for figures. A stretch is the first characters of an instant's text (a minute, an hour, a day in
 * UTC), which groups alike on every engine.
 */
export const buckets = {
  minute: { prefix: 16, ms: 60_000 },
  hour: { prefix: 13, ms: 3_600_000 },
  day: { prefix: 10, ms: 86_400_000 },
} as const;
export type BucketName = keyof typeof buckets;
export type Bucket = (typeof buckets)[BucketName];

/** A stretch that suits the range: some tens to some hundreds of them. */
export function bucketFor(range: string | undefined): Bucket {
  if (range === '1h' || range === '6h') return buckets.minute;
  return range === undefined || range === '24h' || range === '7d' ? buckets.hour : buckets.day;
}

/** Start of the stretch that `key` (a beginning of an instant's text) names. */
export function instantOfBucket(key: string): string {
  return `${key}${'0000-01-01T00:00:00.000Z'.slice(key.length)}`;
}
