/** What most lists share: a span of time, `all` for no filter, a page of what a service gives. */
import { z } from '@hono/zod-openapi';
import type { Keyed, TimeSpan } from '../database/keyset.ts';
import { InvalidInput } from '../errors.ts';
import { pageOf, type Page } from './pagination.ts';

const hour = 3_600_000;
const spans = { '1h': hour, '6h': 6 * hour, '24h': 24 * hour, '7d': 168 * hour, '30d': 720 * hour } as const;

export const TimeRange = z.enum(['1h', '6h', '24h', '7d', '30d']);
export type TimeRange = z.infer<typeof TimeRange>;

/** Any RFC 3339 instant, made UTC with milliseconds, as it stands in the database. */
const InstantInput = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());

/** The span of time of a list or figure; spread it into the route's own query object. */
export const timeQuery = {
  time_range: z
    .union([z.literal('all'), TimeRange])
    .optional()
    .describe('Counted back from now; not together with `from` and `to`.'),
  from: InstantInput.optional().describe('RFC 3339 instant, inclusive.'),
  to: InstantInput.optional().describe('RFC 3339 instant, exclusive.'),
};

export interface TimeQuery {
  readonly time_range?: TimeRange | 'all' | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Throws `InvalidInput` where both a range and instants are given, or where the span is empty. */
export function timeSpan(query: TimeQuery, now: Date, otherwise?: TimeRange): TimeSpan {
  const { from, to } = query;
  const range = query.time_range ?? (from === undefined && to === undefined ? otherwise : undefined);
  if (range !== undefined && range !== 'all') {
    if (from !== undefined || to !== undefined) throw refused('time_range', 'give either time_range or from and to');
    return { from: new Date(now.getTime() - spans[range]).toISOString() };
  }
  if (from !== undefined && to !== undefined && from >= to) throw refused('from', 'is not before to');
  return { from, to };
}

function refused(field: string, detail: string): InvalidInput {
  return new InvalidInput(`${field}: ${detail}`, { fields: [{ pointer: `#/query/${field}`, detail }] });
}

/** `schema`, or `all` or nothing for no filter. */
export function filter<T extends z.ZodType>(schema: T) {
  return z
    .union([z.literal('all'), schema])
    .optional()
    .transform((value): z.output<T> | undefined => (value === 'all' ? undefined : (value as z.output<T> | undefined)))
    .describe('Left out, or `all`: every one.');
}

/** What somebody types to find a row; `what` says what it is compared with. */
export function text(what: string) {
  return z.string().trim().min(1).max(100).optional().describe(what);
}

/** `true` and `false` (also 1 and 0) in a query. */
export const flag = z
  .enum(['true', 'false', '1', '0'])
  .optional()
  .transform((text) => (text === undefined ? undefined : text === 'true' || text === '1'))
  .describe('Left out: either.');

export function toPage<T>(entries: readonly Keyed<T>[], limit: number): Page<T> {
  return pageOf(
    entries,
    limit,
    (entry) => entry.key,
    (entry) => entry.item,
  );
}

/** One answer of a route, for `responses`. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** A body of a route, for `request.body`. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { content: { 'application/json': { schema } } };
}
