import { unknownFlowContext } from '@picket/shared/features/flow-context';
import { expect, test } from 'vitest';
import { scoredWindow, sketchStartUs } from '../testing/scored-windows.ts';
import { writeContextOf } from './flow-context.ts';

test('ages run to the newest packet of the window, peers are numbered as they appear, the last slots are filled', () => {
  const { context } = scoredWindow({
    at: 60,
    says: 'benign',
    flows: [
      { startedAtUs: sketchStartUs, direction: 'inbound' },
      {
        startedAtUs: sketchStartUs + 59_500_000,
        srcIp: '192.168.1.20',
        dstIp: '203.0.113.10',
        direction: 'outbound',
      },
      { startedAtUs: sketchStartUs + 60_000_000, srcIp: '192.168.1.7', direction: 'internal' },
      { startedAtUs: sketchStartUs + 60_000_000 },
    ],
  });
  const numbers = unknownFlowContext(2);
  writeContextOf(context, numbers, 30);
  expect([...numbers.subarray(0, 30)].every((value) => value === -1)).toBe(true);
  expect([...numbers.subarray(30, 48)].every((value) => value === -1)).toBe(true);
  expect([...numbers.subarray(48)]).toEqual([60, 0, 0, 0.5, 1, 1, 0, 2, 2, 0, 0, 0]);
});
