/** What a window holds, what passes beside it, and what is given up for others. */
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { expect, test } from 'vitest';
import { WindowsBench } from '../testing/windows-bench.ts';
import type { WindowContext } from './window-context.ts';

test('a window holds the latest ten flows, oldest first, present flows in the last slots', () => {
  const windows = new WindowsBench();
  for (let flow = 1; flow <= 3; flow++) {
    windows.add(flow, { flowNumber: flow, features: { 'Flow Duration': flow } });
  }
  windows.take();
  windows.windows.finish();
  const due = windows.windows.takeDue();
  expect(due?.batch.count).toBe(1);
  expect(due?.batch.flowsSeen[0]).toBe(3);
  const durations = Array.from({ length: windowLength }, (_, slot) => due?.batch.windows[slot * featureCount + 1]);
  expect(durations).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
  expect(due?.contexts[0]?.flows.map((flow) => flow.flowNumber)).toEqual([1, 2, 3]);

  for (let flow = 4; flow <= 25; flow++) windows.add(3, { flowNumber: flow, features: { 'Flow Duration': flow } });
  windows.take(); // what came ahead of time
  windows.add(4, { flowNumber: 26, features: { 'Flow Duration': 26 } });
  windows.windows.finish();
  const full = windows.windows.takeDue();
  expect(full?.contexts[0]?.flows.map((flow) => flow.flowNumber)).toEqual([17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
  expect(full?.batch.windows[1]).toBe(17);
  expect(full?.batch.windows[9 * featureCount + 1]).toBe(26);
});

test('a report replaces its own slot and keeps its place', () => {
  const windows = new WindowsBench();
  windows.add(0, { flowNumber: 1, reportNumber: 0, features: { 'Total Fwd Packets': 64 } });
  windows.add(1, { flowNumber: 2, src: '203.0.113.6' });
  windows.add(2, { flowNumber: 1, reportNumber: 1, features: { 'Total Fwd Packets': 900 }, end: 'report' });
  windows.windows.finish();
  const last = windows.take().at(-1);
  expect(last?.flows.map((flow) => [flow.flowNumber, flow.reportNumber, flow.fwdPackets])).toEqual([
    [1, 1, 900],
    [2, 0, 0],
  ]);
  expect(last?.freshFlows).toBe(3);
});

test('what is not a number, and a negative rate, reaches the network as 0', () => {
  const windows = new WindowsBench();
  windows.add(0, {
    features: {
      'Flow Bytes/s': Number.POSITIVE_INFINITY,
      'Flow Packets/s': -1,
      'Fwd IAT Mean': Number.NaN,
      Init_Win_bytes_backward: -1,
    },
  });
  const newest = windows.windows.takeDue()?.batch.windows.subarray(9 * featureCount);
  const valueOf = (name: string): number | undefined => newest?.[featureNames.indexOf(name)];
  expect(['Flow Bytes/s', 'Flow Packets/s', 'Fwd IAT Mean'].map(valueOf)).toEqual([0, 0, 0]);
  expect(valueOf('Init_Win_bytes_backward')).toBe(-1);
});

test('a context is plain data, and later flows do not change it', () => {
  const windows = new WindowsBench();
  windows.add(0, { flowNumber: 1 });
  const [context] = windows.take();
  const copy = structuredClone(context);
  for (let flow = 2; flow < 20; flow++) windows.add(flow, { flowNumber: flow, src: '198.51.100.1' });
  expect(context).toEqual(copy);
});

test('devices and waiting windows are bounded and what is given up is counted', () => {
  const windows = new WindowsBench({ capacity: 50, maxDue: 20 });
  for (let host = 0; host < 200; host++) windows.add(host, { flowNumber: host, dst: `192.168.1.${host}` });
  expect(windows.windows.size).toBe(50);
  expect(windows.windows.evicted).toBe(150);
  expect(windows.windows.dropped).toBe(180);
  expect(windows.take().map((context) => context.device.address)).toEqual(
    Array.from({ length: 20 }, (_, index) => `192.168.1.${180 + index}`),
  );
});

test('flows that no window shows pass beside the next one, each once, and no more than a bound', () => {
  const windows = new WindowsBench();
  const seen = (count: number, from: number, atMs: number): readonly WindowContext[] => {
    for (let flow = 0; flow < count; flow++) windows.add(atMs, { flowNumber: from + flow });
    windows.windows.finish();
    return windows.take();
  };
  const numbers = (contexts: readonly WindowContext[]): number[] => [
    ...new Set(contexts.flatMap(({ passed, flows }) => [...passed, ...flows].map(({ flowNumber }) => flowNumber))),
  ];
  const contexts = seen(60, 1, 1);
  expect(numbers(contexts).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  const passed = contexts.flatMap((context) => context.passed.map(({ flowNumber }) => flowNumber));
  expect(passed.length).toBe(new Set(passed).size);
  expect(passed).not.toContain(60);
  const many = seen(1000, 100, 2);
  expect(Math.max(...many.map((context) => context.passed.length))).toBe(64);
  expect(
    seen(1, 2000, 3).flatMap((context) => context.passed),
    'they were taken',
  ).toEqual([]);
});
