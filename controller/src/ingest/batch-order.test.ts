import { expect, test } from 'vitest';
import { sampleAlert, sampleBatch, sampleCounters, sampleFlow } from '../testing/sample-events.ts';
import { judgeBatch } from './batch-order.ts';

const flows = (from: number, count: number) =>
  sampleBatch(
    'flows',
    Array.from({ length: count }, (_, index) => ({ kind: 'flow' as const, body: sampleFlow(from + index) })),
    from,
  ).events;

const gap = (fromSeq: number, toSeq: number) => ({
  seq: toSeq,
  at: '2026-11-21T08:00:00.000Z',
  event: { kind: 'gap', body: { from_seq: fromSeq, to_seq: toSeq, dropped: toSeq - fromSeq + 1 } },
});

test('what follows the sequence is stored, what was stored before is a duplicate, in whatever order it stands', () => {
  const judged = judgeBatch('flows', [...flows(1, 5), ...flows(3, 3)].toReversed(), 2);
  expect(judged.stored.map((event) => event.seq)).toEqual([3, 4, 5]);
  expect(judged).toMatchObject({ duplicates: 5, upto: 5, hole: undefined });
});

test('nothing behind a hole is stored', () => {
  const judged = judgeBatch('flows', [...flows(1, 2), ...flows(5, 2)], 0);
  expect(judged.stored.map((event) => event.seq)).toEqual([1, 2]);
  expect(judged).toMatchObject({ upto: 2, hole: 5 });
});

test('a gap event closes a hole, and counts only what had not been stored before', () => {
  expect(judgeBatch('flows', [...flows(1, 2), gap(3, 6), ...flows(7, 1)], 0)).toMatchObject({
    lost: [{ fromSeq: 3, toSeq: 6 }],
    upto: 7,
    hole: undefined,
  });
  expect(judgeBatch('flows', [gap(1, 6)], 4)).toMatchObject({ lost: [{ fromSeq: 5, toSeq: 6 }], upto: 6 });
  expect(judgeBatch('flows', [gap(1, 6)], 6)).toMatchObject({ lost: [], duplicates: 1, upto: 6 });
  expect(judgeBatch('flows', [gap(3, 6)], 1), 'the gap itself lies behind a hole').toMatchObject({ upto: 1, hole: 3 });
});

test('an event that does not fit is set aside with its reason, and the sequence goes on', () => {
  const [first, second, third] = flows(1, 3);
  const bad = { ...second!, event: { kind: 'flow', body: { ...sampleFlow(2), dst_port: 70_000 } } };
  const judged = judgeBatch('flows', [first!, bad, third!], 0);
  expect(judged.stored.map((event) => event.seq)).toEqual([1, 3]);
  expect(judged.rejected).toMatchObject([{ seq: 2, reason: expect.stringContaining('dst_port') as string }]);
  expect(judged.upto).toBe(3);
});

test('an event on a channel that is not its own is set aside', () => {
  const batch = sampleBatch('counters', [{ kind: 'counters', body: sampleCounters() }]);
  expect(judgeBatch('alerts', batch.events, 0).rejected).toMatchObject([
    { seq: 1, reason: 'event.kind: counters does not belong on alerts' },
  ]);
});

test('a text with a NUL, which one of the engines could not keep, is set aside', () => {
  const batch = sampleBatch('alerts', [{ kind: 'alert', body: sampleAlert({ message: 'a\u0000b' }) }]);
  const [rejected] = judgeBatch('alerts', batch.events, 0).rejected;
  expect(rejected?.reason).toContain('NUL');
  expect(rejected?.payload).not.toContain(String.raw`\u0000`);
});
