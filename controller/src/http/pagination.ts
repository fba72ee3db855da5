/**
 * Lists by keyset: `{items, next_cursor}`, newest first as a rule. A cursor holds the sort key of the last row, so that
 * rows which arrive in between are neither repeated nor skipped; an alert that is raised in between is at the top of the
 * next reading.
 */
import { z } from '@hono/zod-openapi';
import { InvalidInput } from '../errors.ts';

export const maxLimit = 1000;
export const defaultLimit = 100;
const maxOffset = 10_000;

/** Query members of every list; spread them into the route's own query object. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(maxLimit).default(defaultLimit).describe('Most items of a page.'),
  cursor: z.string().max(500).optional().describe('`next_cursor` of the page before.'),
  skip: z.coerce
    .number()
    .int()
    .min(0)
    .max(maxOffset)
    .optional()
    .describe('Items to leave out, for clients that count instead of following a cursor.'),
  page: z.coerce.number().int().min(1).max(maxOffset).optional().describe('Page number from 1, with `size`.'),
  size: z.coerce.number().int().min(1).max(maxLimit).optional().describe('Items of a page, with `page`.'),
};

export interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly skip?: number | undefined;
  readonly page?: number | undefined;
  readonly size?: number | undefined;
}

/** What a repository needs: at most `limit` rows after `after`, or after `offset` rows. */
export interface PageRequest {
  readonly limit: number;
  readonly offset: number;
  /** Sort key of the last row of the page before, as the repository gave it to `pageOf`. */
  readonly after: readonly string[] | undefined;
}

/** Throws `InvalidInput` for a foreign cursor, and for an offset beyond 10,000. */
export function pageRequest(query: PageQuery): PageRequest {
  const limit = query.size ?? query.limit;
  const offset = query.page === undefined ? (query.skip ?? 0) : (query.page - 1) * limit;
  if (offset > maxOffset) {
    throw new InvalidInput(`page: only the first ${maxOffset} rows can be counted to; follow next_cursor instead`, {
      fields: [{ pointer: '#/query/page', detail: `skips more than ${maxOffset} rows` }],
    });
  }
  return { limit, offset, after: query.cursor === undefined ? undefined : readCursor(query.cursor) };
}

export interface Page<T> {
  readonly items: T[];
  readonly next_cursor: string | null;
}

/**
 * `rows` are up to `limit + 1` rows as the repository read them: the extra one only says that there are more.
 * `keyOf` gives the columns the list is sorted by.
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly string[],
  toItem: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map((row) => toItem(row)),
    next_cursor: rows.length > limit && last !== undefined ? writeCursor(keyOf(last)) : null,
  };
}

/** Schema of a page of `item`, for the route's answer. */
export function pageSchema<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next_cursor: z.string().nullable().describe('For `cursor` of the next page; null: this was the last one.'),
  });
}

/** The sort key of the last row shown, as text for `next_cursor`. */
export function writeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

const CursorKey = z
  .array(
    z
      .string()
      .max(200)
      .refine((text) => !text.includes('\0')),
  )
  .min(1)
  .max(4);

function readCursor(cursor: string): readonly string[] {
  try {
    return CursorKey.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (error) {
    throw new InvalidInput('cursor: not one of ours; start without it', {
      cause: error,
      fields: [{ pointer: '#/query/cursor', detail: 'not a next_cursor of this list' }],
    });
  }
}
