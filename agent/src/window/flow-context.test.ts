import { flowContextSize, unknownFlowContext } from '@picket/shared/features/flow-context';
import { expect, test } from 'vitest';
import { scoredWindow, sketchStartUs } from '../testing/scored-windows.ts';
import { writeContextOf } from './flow-context.ts';

test('ages run to the newest packet of the window, peers are numbered as they appear, the last slots are filled', () => {
  const { context } = scoredWindow({
    at: 60,
    says: 'benign',
    flows: [
      {
        startedAtUs: sketchStartUs,
        direction: 'inbound',
        recentOfDevice: 40,
        recentOfPeer: 3,
        peerSinceUs: sketchStartUs - 20_000_000,
        deviceSinceUs: sketchStartUs - 40_000_000,
      },
      {
        startedAtUs: sketchStartUs + 59_500_000,
        srcIp: '192.168.1.20',
        dstIp: '203.0.113.10',
        direction: 'outbound',
      },
      {
        startedAtUs: sketchStartUs + 60_000_000,
        srcIp: '192.168.1.7',
        direction: 'internal',
        peerSinceUs: sketchStartUs + 58_000_000,
      },
      { startedAtUs: sketchStartUs + 60_000_000 },
    ],
  });
  const numbers = unknownFlowContext(2);
  writeContextOf(context, numbers, flowContextSize);
  expect([...numbers.subarray(0, 112)].every((value) => value === -1)).toBe(true);
  expect([...numbers.subarray(112)]).toEqual(
    [
      [60, 0, 0, 40, 3, 80, 100],
      [0.5, 1, 1, 1, 1, 60, 100],
      [0, 2, 2, 1, 1, 2, 100],
      [0, 0, 0, 1, 1, 60, 100],
    ].flat(),
  );
});
