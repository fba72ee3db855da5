import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { expect, test } from 'vitest';
import { flowBatchOf } from '../testing/flow-rows.ts';
import { scoredWindow } from '../testing/scored-windows.ts';
import { DeviceWindow } from './device-window.ts';
import { DueQueue } from './due-queue.ts';

const windowSize = windowLength * featureCount;

/** One flow whose duration says which window it is. */
function add(queue: DueQueue, number: number): void {
  const window = new DeviceWindow();
  const row = { src: '203.0.113.5', dst: '192.168.1.20', features: { 'Flow Duration': number } };
  window.add(flowBatchOf([row]), 0, 'inbound');
  queue.add(window, { ...scoredWindow({ at: number, says: 'benign' }).context, flowsSeen: 1, freshFlows: number });
}

test('windows leave in their order, each beside its context, however the ring has turned; the oldest are given up', () => {
  const queue = new DueQueue(200);
  const expected: number[] = [];
  let dropped = 0;
  let next = 0;
  for (const [adds, takes] of [
    [30, 10],
    [90, 100],
    [150, 7],
    [120, 60],
    [10, 400],
  ] as const) {
    for (let count = 0; count < adds; count++) {
      add(queue, ++next);
      expected.push(next);
      if (expected.length > 200) {
        expected.shift();
        dropped += 1;
      }
    }
    const due = queue.take(takes);
    const wanted = expected.splice(0, takes);
    expect(due?.contexts.map(({ freshFlows }) => freshFlows)).toEqual(wanted);
    expect(due?.batch.count).toBe(wanted.length);
    for (const [index, number] of wanted.entries()) {
      const rows = due!.batch.windows.subarray(index * windowSize, (index + 1) * windowSize);
      expect(rows[9 * featureCount + 1]).toBe(number);
      expect(rows.subarray(0, 9 * featureCount).every((value) => value === 0)).toBe(true);
    }
    expect(queue.dropped).toBe(dropped);
  }
  expect(dropped).toBeGreaterThan(0);
  expect(queue.take(10)).toBeUndefined();
});
