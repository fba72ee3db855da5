import { featureCount } from '@picket/shared/features/feature-schema';
import { flowContextSize } from '@picket/shared/features/flow-context';
import { expect, test } from 'vitest';
import { FlowRows } from './flow-rows.ts';
import { agesOf, inOrder, writeContext } from './window-context.ts';
import { padded } from './window-mixes.ts';

const flow = new Float32Array(featureCount);

/** One flow per pair of numbers: seconds at which it began and ended. */
function rowsOf(...times: readonly (readonly [from: number, to: number])[]): FlowRows {
  const rows = new FlowRows();
  for (const [index, [from, to]] of times.entries()) {
    const recent = { recentOfDevice: 10 + index, recentOfPeer: index };
    const setting = { startUs: from * 1e6, lastUs: to * 1e6, pair: index % 2, direction: index % 3, ...recent };
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

test('peers are numbered as they appear; empty slots and flows of unknown setting say that nothing is known', () => {
  const rows = rowsOf([100, 101], [110, 112]);
  rows.add(flow, 'benign', '');
  const to = new Float32Array(2 * flowContextSize);
  writeContext(rows, { window: padded([1, 0, 1]) }, to, flowContextSize, 0.5);
  expect([...to.subarray(0, flowContextSize)].every((value) => value === 0)).toBe(true);
  expect([...to.subarray(flowContextSize, -15)].every((value) => value === -1)).toBe(true);
  expect([...to.subarray(-15)]).toEqual([1, 0, 1, 11, 1, 6, 1, 0, 10, 0, 1, 0, 1, 11, 1]);
  writeContext(rows, { window: padded([2]) }, to, 0);
  expect([...to.subarray(45, 50)]).toEqual([-1, -1, -1, -1, -1]);
  const mixed = { window: padded([0, 2, 1]) };
  expect(inOrder(rows, mixed)).toBe(mixed);
});
