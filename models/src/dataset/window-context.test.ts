import { featureCount } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { expect, test } from 'vitest';
import { FlowRows } from './flow-rows.ts';
import { agesOf, inOrder, writeContext } from './window-context.ts';
import type { WindowOfFlows } from './window-of-flows.ts';
import { padded } from './window-mixes.ts';

const flow = new Float32Array(featureCount);

/** One flow per pair of numbers: seconds at which it began and ended. */
function rowsOf(...times: readonly (readonly [from: number, to: number])[]): FlowRows {
  const rows = new FlowRows();
  for (const [index, [from, to]] of times.entries()) {
    const recent = { recentOfDevice: 10 + index, recentOfPeer: index };
    const since = { deviceSinceUs: (from - 50) * 1e6, peerSinceUs: (from - 20) * 1e6 };
    const setting = {
      startUs: from * 1e6,
      lastUs: to * 1e6,
      pair: index % 2,
      direction: index % 3,
      ...recent,
      ...since,
    };
    rows.add(flow, 'benign', '', -1, 0, setting);
  }
  return rows;
}

test('ages run to the newest packet of the window, whichever flow brought it', () => {
  expect(agesOf(rowsOf([100, 160], [130, 140], [150, 151]), { window: padded([0, 1, 2]) })).toEqual([60, 30, 10]);
});

test('flows from another time are as old as they were there, and the others lie before them by the lag', () => {
  const rows = rowsOf([100, 101], [110, 111], [9000, 9001], [9040, 9041]);
  const mix = { window: padded([2, 0, 1, 3]), background: padded([2, 3]), lag: 5 };
  expect(agesOf(rows, mix)).toEqual([41, 16, 6, 1]);
  expect([...inOrder(rows, { ...mix, window: padded([0, 1, 2, 3]) }).window].slice(-4)).toEqual([2, 0, 1, 3]);
});

test('one flow over and over follows at its period', () => {
  expect(agesOf(rowsOf([100, 103]), { window: padded([0, 0, 0]), period: 20 })).toEqual([43, 23, 3]);
});

test('flows that never came together are counted as the gateway would have counted them', () => {
  // Row numbers are what each was counted with elsewhere, plus 10 for the device.
  const rows = rowsOf([100, 101], [110, 110.5], [9000, 9000.5], [9040, 9040.5]);
  const counts = (mix: WindowOfFlows): number[][] => {
    const to = new Float32Array(flowContextSize);
    writeContext(rows, mix, to, 0);
    const flows = mix.window.filter((row) => row >= 0).length;
    return Array.from({ length: flows }, (_, at) => {
      const start = flowContextSize - (flows - at) * flowContextWidth;
      return [...to.subarray(start + 3, start + 5)].map((value) => Number(value.toFixed(2)));
    });
  };
  const faded = (seconds: number): number => Math.exp(-seconds / 30);
  const two = (value: number): number => Number(value.toFixed(2));
  // Nothing was before.
  expect(counts({ window: padded([0, 1]), isBeginning: true })).toEqual([
    [1, 1],
    [two(1 + faded(9.5)), 1],
  ]);
  // The background's device had eleven others of late; its own pair 0 had one.
  const background = padded([2, 3]);
  const [first, attack, last] = counts({ window: padded([2, 1, 3]), background, lag: 5 });
  expect(first![0]).toBeCloseTo(11 * faded(0.5) + 1, 1);
  expect(attack![0]).toBeGreaterThan(first![0]! * faded(40));
  expect(attack![0]).toBeLessThan(first![0]! + 1);
  expect(last![0]).toBeLessThan(attack![0]! + 1);
  // One flow every 10 s, for long.
  const steady = 1 / (1 - faded(10));
  expect(counts({ window: padded([1, 1, 1]), period: 10 }).at(-1)![0]).toBeCloseTo(steady, 1);
  // Tables know neither times nor hosts.
  rows.add(flow, 'benign', '');
  expect(counts({ window: padded([4]), isBeginning: true })).toEqual([[-1, -1]]);
});

test('peers are numbered as they appear; empty slots and flows of unknown setting say that nothing is known', () => {
  const rows = rowsOf([100, 101], [110, 112]);
  rows.add(flow, 'benign', '');
  const to = new Float32Array(2 * flowContextSize);
  writeContext(rows, { window: padded([1, 0, 1]) }, to, flowContextSize, 0.5);
  expect([...to.subarray(0, flowContextSize)].every((value) => value === 0)).toBe(true);
  expect([...to.subarray(flowContextSize, -21)].every((value) => value === -1)).toBe(true);
  expect([...to.subarray(-21)]).toEqual(
    [
      [1, 0, 1, 11, 1, 11, 31],
      [6, 1, 0, 10, 0, 16, 31],
      [1, 0, 1, 11, 1, 11, 31],
    ].flat(),
  );
  writeContext(rows, { window: padded([2]) }, to, 0);
  expect([...to.subarray(63, 70)]).toEqual([-1, -1, -1, -1, -1, -1, -1]);
  const mixed = { window: padded([0, 2, 1]) };
  expect(inOrder(rows, mixed)).toBe(mixed);
});
