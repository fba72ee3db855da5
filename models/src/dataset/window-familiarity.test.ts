import { featureCount } from '@picket/shared/features/feature-schema';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import { FlowRows } from './flow-rows.ts';
import { seededRandom } from './seeded-random.ts';
import { agesOf } from './window-context.ts';
import { always, drawAcquaintance, familiarityOf } from './window-familiarity.ts';
import { padded } from './window-mixes.ts';
import type { WindowOfFlows } from './window-of-flows.ts';

interface Met {
  readonly at: number;
  readonly pair: number;
  readonly peerSince: number;
  readonly deviceSince: number;
  readonly class?: TrafficClass;
}

/** Flows of a second each, in seconds. */
function rowsOf(...flows: readonly Met[]): FlowRows {
  const rows = new FlowRows();
  for (const { at, pair, peerSince, deviceSince, class: trafficClass = 'benign' } of flows) {
    rows.add(new Float32Array(featureCount), trafficClass, '', -1, 0, {
      startUs: at * 1e6,
      lastUs: (at + 1) * 1e6,
      pair,
      direction: 0,
      recentOfDevice: 1,
      recentOfPeer: 1,
      deviceSinceUs: deviceSince * 1e6,
      peerSinceUs: peerSince * 1e6,
    });
  }
  return rows;
}

const known = (rows: FlowRows, mix: WindowOfFlows): ReturnType<typeof familiarityOf> =>
  familiarityOf(rows, mix, agesOf(rows, mix));

const captured = rowsOf(
  { at: 300, pair: 1, peerSince: 10, deviceSince: 0 },
  { at: 309, pair: 2, peerSince: 290, deviceSince: 0, class: 'port_scan' },
  // Another device, half an hour in, and its habit.
  { at: 1800, pair: 3, peerSince: 5, deviceSince: 0 },
  { at: 1839, pair: 4, peerSince: 1830, deviceSince: 0 },
);
const window = padded([0, 1]);

test('what was captured is told to the newest packet of the window', () => {
  expect(known(captured, { window })).toEqual({ peer: [300, 20], device: [310, 310] });
});

test('had the gateway listened longer, habits would be known for longer and attackers would not', () => {
  expect(known(captured, { window, longer: 1000 })).toEqual({ peer: [1300, 20], device: [1310, 1310] });
});

test('had it begun lately, nobody would be known for longer than that, and no flow would be older than its device', () => {
  expect(known(captured, { window, atMost: 15 })).toEqual({ peer: [15, 15], device: [15, 15] });
  expect(known(captured, { window, atMost: 1 })).toEqual({ peer: [10, 10], device: [10, 10] });
  expect(known(captured, { window, isBeginning: true })).toEqual({ peer: [10, 1], device: [10, 10] });
});

test('who is put among the flows of another device is as new there; whom a device always knew is always known', () => {
  const background = padded([2, 3]);
  expect(known(captured, { window: padded([2, 1, 3]), background, lag: 5 })).toEqual({
    peer: [1835, 25, 10],
    device: [1840, 1840, 1840],
  });
  expect(known(captured, { window: padded([2, 0, 3]), background, lag: 5 }).peer).toEqual([1835, 1840, 10]);
  // A device that is known for less than the attacker was: who came first cannot be told.
  expect(known(captured, { window: padded([0, 3]), background: padded([3]), lag: 5 }).device).toEqual([1840, 1840]);
});

test('one flow over and over always came', () => {
  expect(known(captured, { window: padded([0, 0]), period: 20 })).toEqual({ peer: [3021, 3021], device: [3021, 3021] });
});

test('when people met can be drawn anew, within what the device is known for', () => {
  const met = new Map([[1, 4]]);
  expect(known(captured, { window, met })).toEqual({ peer: [14, 20], device: [310, 310] });
  expect(known(captured, { window, met: new Map([[2, always]]) }).peer).toEqual([300, 310]);
  expect(known(captured, { window, met, isBeginning: true }).peer).toEqual([10, 1]);
});

test('where no time is known nobody is', () => {
  const rows = rowsOf({ at: 1, pair: 1, peerSince: Number.NaN, deviceSince: Number.NaN });
  expect(known(rows, { window: padded([0]) })).toEqual({ peer: [-1], device: [-1] });
});

test('honest peers are made newcomers and attackers old friends, never the other way round', () => {
  const shares = { listenedLonger: 0.4, beganLately: 0.1, newcomers: 1, ofNewcomers: 1, oldFriends: 1 };
  const random = seededRandom(1);
  for (let draw = 0; draw < 200; draw++) {
    const { met } = drawAcquaintance(captured, padded([0, 1, 0]), shares, random);
    expect(met!.get(2)).toBe(always);
    expect(met!.get(1)).toBeLessThan(400);
  }
});
