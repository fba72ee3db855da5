import { expect, test } from 'vitest';
import { RecentFlows, mostRecent } from './recent-flows.ts';

const second = 1e6;

test('new flows count one each and fade, in all and for each peer', () => {
  const recent = new RecentFlows();
  expect(recent.add(1, true, 100 * second)).toEqual({ ofDevice: 1, ofPeer: 1 });
  expect(recent.add(1, true, 100 * second)).toEqual({ ofDevice: 2, ofPeer: 2 });
  expect(recent.add(2, true, 100 * second)).toEqual({ ofDevice: 3, ofPeer: 1 });
  const later = recent.add(1, true, 130 * second);
  expect(later.ofPeer).toBeCloseTo(1 + 2 / Math.E, 6);
  expect(later.ofDevice).toBeCloseTo(1 + 3 / Math.E, 6);
});

test('a report of a flow that was counted adds nothing, and a late one takes nothing back', () => {
  const recent = new RecentFlows();
  recent.add(1, true, 100 * second);
  expect(recent.add(1, false, 100 * second)).toEqual({ ofDevice: 1, ofPeer: 1 });
  expect(recent.add(1, false, 90 * second)).toEqual({ ofDevice: 1, ofPeer: 1 });
});

test('counts saturate, and of forged sources without end only the latest are known', () => {
  const recent = new RecentFlows();
  let last = recent.add(-1, true, 0);
  for (let peer = 0; peer < 10_000; peer++) last = recent.add(peer, true, 1000);
  expect(last).toEqual({ ofDevice: mostRecent, ofPeer: 1 });
  expect(recent.add(9_999, true, 1000).ofPeer).toBe(2);
  expect(recent.add(-1, true, 1000).ofPeer).toBe(1);
});

test('after a clock was set back counts fade from there on', () => {
  const recent = new RecentFlows();
  for (let flow = 0; flow < 60; flow++) recent.add(1, true, 7200 * second);
  recent.add(1, true, 3600 * second);
  const later = recent.add(1, true, 3720 * second);
  expect(later.ofDevice).toBeCloseTo(1 + 61 / Math.E ** 4, 6);
  expect(later.ofPeer).toBeCloseTo(1 + 61 / Math.E ** 4, 6);
});
