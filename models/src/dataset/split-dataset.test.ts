import { expect, test } from 'vitest';
import { splitBlocks } from './split-dataset.ts';

test('blocks of time go to one part as a whole, with a gap that belongs to none', () => {
  const blockOf = splitBlocks(1000, 100, 4);
  const times = Array.from({ length: 20_000 }, (_, index) => index * 10);
  const parts = Map.groupBy(times, (time) => blockOf(time).part ?? 'none');
  for (const time of parts.get('none')!) expect(time % 1000).toBeLessThan(100);
  expect(parts.get('none')!.length / times.length).toBeCloseTo(0.1, 2);
  const share = (part: 'train' | 'validation' | 'test'): number => parts.get(part)!.length / times.length;
  expect(share('test')).toBeGreaterThan(0.12);
  expect(share('validation')).toBeGreaterThan(0.05);
  expect(share('train')).toBeGreaterThan(share('test') + share('validation'));
  for (const time of times) {
    if (time % 1000 >= 100) expect(blockOf(time).part).toBe(blockOf(Math.floor(time / 1000) * 1000 + 500).part);
  }
  expect(splitBlocks(1000, 100, 4)(123_456)).toEqual(blockOf(123_456));
});
