/** When a device is scored: at once, four times a second of packet time, ahead of time in a burst. */
import { expect, test } from 'vitest';
import { WindowsBench, benchStartUs } from '../testing/windows-bench.ts';

const second = 1_000_000;

test('a burst is scored ahead of time, each window with ten flows that the one before had not', () => {
  const windows = new WindowsBench();
  for (let flow = 1; flow <= 200; flow++) windows.add(0, { flowNumber: flow });
  const due = windows.take();
  expect(due.map(({ flows, countsAsEvidence }) => [flows.at(-1)?.flowNumber, countsAsEvidence])).toEqual([
    [1, false],
    [10, true],
    [20, true],
    [30, true],
  ]);
  expect(due.map(({ freshFlows }) => freshFlows)).toEqual([1, 10, 10, 10]);
});

test('a device is scored at once, then four times a second of packet time, and only when it changed', () => {
  const windows = new WindowsBench();
  for (let ms = 0; ms < 1000; ms += 50) windows.add(ms, { flowNumber: ms });
  expect(windows.take()).toHaveLength(4);
  windows.windows.advance(benchStartUs + 1_100_000);
  expect(windows.take()).toHaveLength(1);
  windows.windows.advance(benchStartUs + 60 * second);
  windows.windows.finish();
  expect(windows.take()).toHaveLength(0);
});

test('when windows are due depends on the flows, not on how they were batched', () => {
  const seen = (takeEvery: number): readonly string[] => {
    const windows = new WindowsBench();
    const taken: string[] = [];
    for (let flow = 0; flow < 500; flow++) {
      windows.add(flow * 7, { flowNumber: flow, dst: `192.168.1.${flow % 9}` });
      if (flow % takeEvery === 0) {
        taken.push(...windows.take().map((context) => `${context.device.address} ${context.atUs}`));
      }
    }
    windows.windows.finish();
    return [...taken, ...windows.take().map((context) => `${context.device.address} ${context.atUs}`)];
  };
  expect(seen(1)).toEqual(seen(100));
});

test('when the clock was set back, devices are scored again', () => {
  const windows = new WindowsBench();
  windows.add(200_000, { flowNumber: 1 });
  windows.add(80_000, { flowNumber: 2, handedOverAtUs: benchStartUs + 200 * second }); // ended late
  expect(windows.take()).toHaveLength(1);
  windows.add(180_000, { flowNumber: 3 });
  windows.add(180_300, { flowNumber: 4 });
  expect(windows.take().map(({ atUs }) => atUs)).toEqual([benchStartUs + 180 * second, benchStartUs + 180.3 * second]);
});
