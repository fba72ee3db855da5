import { expect, test } from 'vitest';
import { decision } from '../testing/decisions.ts';
import { AutomaticShare, laneOf, type AutomaticLane } from './automatic-share.ts';

/** How many of this lane there is room for now; they are made. */
function fill(share: AutomaticShare, lane: AutomaticLane): number {
  let made = 0;
  for (; made < 100 && share.problem(lane) === undefined; made++) share.note(lane);
  return made;
}

test('forgeries leave what is proven and what protects their shares', () => {
  const share = new AutomaticShare(() => 0);
  expect([fill(share, 'forgeable'), fill(share, 'proven'), fill(share, 'protection')]).toEqual([30, 20, 10]);
  expect(share.problem('forgeable')).toContain('no more of them until a person looks');
});

test('what is proven leaves room to protect targets, and the other way round', () => {
  const share = new AutomaticShare(() => 0);
  expect([fill(share, 'proven'), fill(share, 'forgeable'), fill(share, 'protection')]).toEqual([50, 0, 10]);
  const other = new AutomaticShare(() => 0);
  expect([fill(other, 'protection'), fill(other, 'forgeable'), fill(other, 'proven')]).toEqual([40, 0, 20]);
});

test('after a minute there is room again', () => {
  let nowMs = 0;
  const share = new AutomaticShare(() => nowMs);
  fill(share, 'proven');
  nowMs = 59_999;
  expect(fill(share, 'proven')).toBe(0);
  nowMs = 60_000;
  expect(fill(share, 'proven')).toBe(50);
});

test('what a decision counts as', () => {
  expect(laneOf(decision({ origin: 'analyst' }), true)).toBeUndefined();
  expect(laneOf(decision({ origin: 'fleet' }), false)).toBeUndefined();
  expect(laneOf(decision({ origin: 'model' }), true)).toBe('forgeable');
  expect(laneOf(decision({ origin: 'model' }), false)).toBe('proven');
  expect(laneOf(decision({ origin: 'rule', action: 'rate_limit', direction: 'to' }), true)).toBe('protection');
  expect(laneOf(decision({ origin: 'model', action: 'rate_limit', direction: 'from' }), false)).toBe('proven');
});
