import { expect, test } from 'vitest';
import { type RecentCounts, RecentFlows, mostRecent } from './recent-flows.ts';

const second = 1e6;

/** A flow of a single packet, or `lasted` seconds long. */
function add(recent: RecentFlows, peer: number, isNew: boolean, atSeconds: number, lasted = 0): RecentCounts {
  return recent.add(peer, isNew, (atSeconds - lasted) * second, atSeconds * second);
}

test('new flows count one each and fade, in all and for each peer', () => {
  const recent = new RecentFlows();
  expect(add(recent, 1, true, 100)).toMatchObject({ ofDevice: 1, ofPeer: 1 });
  expect(add(recent, 1, true, 100)).toMatchObject({ ofDevice: 2, ofPeer: 2 });
  expect(add(recent, 2, true, 100)).toMatchObject({ ofDevice: 3, ofPeer: 1 });
  const later = add(recent, 1, true, 130);
  expect(later.ofPeer).toBeCloseTo(1 + 2 / Math.E, 6);
  expect(later.ofDevice).toBeCloseTo(1 + 3 / Math.E, 6);
});

test('a report of a flow that was counted adds nothing, and a late one takes nothing back', () => {
  const recent = new RecentFlows();
  add(recent, 1, true, 100);
  expect(add(recent, 1, false, 100)).toMatchObject({ ofDevice: 1, ofPeer: 1 });
  expect(add(recent, 1, false, 90)).toMatchObject({ ofDevice: 1, ofPeer: 1 });
});

test('who is known is known since the first packet of the first flow, whichever is handed over first', () => {
  const recent = new RecentFlows();
  add(recent, 1, true, 100);
  expect(add(recent, 2, true, 160, 1)).toMatchObject({ deviceSinceUs: 100 * second, peerSinceUs: 159 * second });
  // It began before them both, and ended after.
  expect(add(recent, 2, true, 161, 66)).toMatchObject({ deviceSinceUs: 95 * second, peerSinceUs: 95 * second });
  expect(add(recent, 1, true, 900)).toMatchObject({ deviceSinceUs: 95 * second, peerSinceUs: 100 * second });
});

test('counts saturate, and of forged sources without end only the latest are known', () => {
  const recent = new RecentFlows();
  let last = add(recent, -1, true, 0);
  for (let peer = 0; peer < 10_000; peer++) last = add(recent, peer, true, 0.001);
  expect(last).toMatchObject({ ofDevice: mostRecent, ofPeer: 1 });
  expect(add(recent, 9_999, true, 0.001).ofPeer).toBe(2);
  expect(add(recent, -1, true, 0.001)).toMatchObject({ ofPeer: 1, peerSinceUs: 1000, deviceSinceUs: 0 });
});

test('after a clock was set back counts fade from there on', () => {
  const recent = new RecentFlows();
  for (let flow = 0; flow < 60; flow++) add(recent, 1, true, 7200);
  add(recent, 1, true, 3600);
  const later = add(recent, 1, true, 3720);
  expect(later.ofDevice).toBeCloseTo(1 + 61 / Math.E ** 4, 6);
  expect(later.ofPeer).toBeCloseTo(1 + 61 / Math.E ** 4, 6);
  expect(later).toMatchObject({ deviceSinceUs: 3600 * second, peerSinceUs: 3600 * second });
});

test('what another run knew is known as of the first flow, and grows on from there', () => {
  const before = new RecentFlows();
  add(before, 1, true, 100);
  add(before, 2, true, 160);
  add(before, 1, true, 190);
  const known = before.familiarityAt(200.5 * second);
  expect(known).toEqual({ deviceMs: 100_500, peers: [2, 1], peersMs: [40_500, 100_500] });

  const after = new RecentFlows(); // by a clock that began anew
  after.resume(known, 7 * second);
  expect(after.familiarityAt(7 * second)).toEqual(known);
  expect(add(after, 2, true, 7)).toMatchObject({ ofDevice: 1, ofPeer: 1, peerSinceUs: -33.5 * second });
  expect(add(after, 1, true, 30)).toMatchObject({ deviceSinceUs: -93.5 * second, peerSinceUs: -93.5 * second });
  expect(add(after, 3, true, 40)).toMatchObject({ deviceSinceUs: -93.5 * second, peerSinceUs: 40 * second });
  expect(after.familiarityAt(47 * second)).toEqual({
    deviceMs: 140_500,
    peers: [2, 1, 3],
    peersMs: [80_500, 140_500, 7000],
  });
});

test('of those whom another run knew the ones that do not come are forgotten first', () => {
  const peers = Array.from({ length: 64 }, (_, peer) => peer);
  const recent = new RecentFlows();
  recent.resume({ deviceMs: 900_000, peers, peersMs: peers.map(() => 600_000) }, 1000 * second);
  add(recent, 0, true, 1000);
  for (let peer = 100; peer < 163; peer++) add(recent, peer, true, 1001);
  expect(recent.familiarityAt(1001 * second).peers).toEqual([0, ...Array.from({ length: 63 }, (_, at) => 100 + at)]);
  expect(add(recent, 0, true, 1002).peerSinceUs).toBe(400 * second);
  expect(add(recent, 1, true, 1002)).toMatchObject({ peerSinceUs: 1002 * second, deviceSinceUs: 100 * second });
});

test('who was heard only before a clock was set back is handed on as new, and is so again after one', () => {
  const recent = new RecentFlows();
  add(recent, 2, true, 1000);
  add(recent, 1, true, 7200);
  add(recent, 2, true, 7200);
  add(recent, 1, true, 3600);
  expect(recent.familiarityAt(3700 * second)).toEqual({ deviceMs: 100_000, peers: [2, 1], peersMs: [0, 100_000] });

  const next = new RecentFlows();
  next.resume({ deviceMs: 900_000, peers: [1], peersMs: [900_000] }, 7200 * second);
  expect(add(next, 1, true, 7000)).toMatchObject({ deviceSinceUs: 7000 * second, peerSinceUs: 7000 * second });
});
