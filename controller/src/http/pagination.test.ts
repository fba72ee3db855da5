import { expect, test } from 'vitest';
import { InvalidInput } from '../errors.ts';
import { pageOf, pageRequest } from './pagination.ts';

const keyOf = (row: { id: string }): readonly string[] => [row.id];
const same = <T>(row: T): T => row;

test('the cursor of a page leads to the next, and the last page has none', () => {
  const rows = ['a', 'b', 'c'].map((id) => ({ id }));
  const first = pageOf(rows, 2, keyOf, same);
  expect(first.items).toEqual([{ id: 'a' }, { id: 'b' }]);
  expect(pageRequest({ limit: 2, cursor: first.next_cursor ?? '' })).toEqual({ limit: 2, offset: 0, after: ['b'] });
  expect(pageOf(rows.slice(2), 2, keyOf, same)).toEqual({ items: [{ id: 'c' }], next_cursor: null });
});

test('skip, and page with size, count rows up to ten thousand', () => {
  expect(pageRequest({ limit: 100, skip: 20 })).toEqual({ limit: 100, offset: 20, after: undefined });
  expect(pageRequest({ limit: 100, page: 3, size: 10 })).toEqual({ limit: 10, offset: 20, after: undefined });
  expect(() => pageRequest({ limit: 100, page: 102 })).toThrow(InvalidInput);
});

test.each([
  '',
  'x',
  Buffer.from('{}').toString('base64url'),
  Buffer.from('[1]').toString('base64url'),
  Buffer.from('[]').toString('base64url'),
])('a cursor that is not ours is refused: %j', (cursor) => {
  expect(() => pageRequest({ limit: 1, cursor })).toThrow(InvalidInput);
});
