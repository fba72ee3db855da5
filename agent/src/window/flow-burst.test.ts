import { expect, test } from 'vitest';
import { flowBatchOf } from '../testing/flow-rows.ts';
import { BurstCounter } from './flow-burst.ts';

const startUs = 1_700_000_000_000_000;

function flowsAt(seconds: readonly number[], dstPort: (index: number) => number): ReturnType<typeof flowBatchOf> {
  return flowBatchOf(
    seconds.map((second, index) => ({
      src: '203.0.113.9',
      dst: '192.168.1.20',
      flowNumber: index,
      dstPort: dstPort(index),
      startedAtUs: startUs + second * 1e6,
      lastPacketAtUs: startUs + second * 1e6 + 1000,
    })),
  );
}

function counted(seconds: readonly number[], dstPort: (index: number) => number): BurstCounter {
  const counter = new BurstCounter();
  const batch = flowsAt(seconds, dstPort);
  for (let row = 0; row < batch.count; row++) counter.add(batch, row, 'inbound');
  return counter;
}

test('new flows of one service that follow each other are one burst', () => {
  const { flows, service } = counted(
    Array.from({ length: 400 }, (_, index) => index / 50),
    (index) => (index % 10 === 0 ? 53 : 22),
  ).current;
  expect(flows).toBe(400);
  expect(service).toMatchObject({ flows: 360, dstPort: 22, sinceUs: startUs + 20_000, untilUs: startUs + 7_981_000 });
});

test('who else took part is known', () => {
  const counter = new BurstCounter();
  const batch = flowBatchOf([
    { src: '203.0.113.9', dst: '192.168.1.20', flowNumber: 1, dstPort: 22, lastPacketAtUs: startUs },
    { src: '203.0.113.9', dst: '192.168.1.20', flowNumber: 2, dstPort: 22, lastPacketAtUs: startUs },
    { src: '203.0.113.8', dst: '192.168.1.20', flowNumber: 3, dstPort: 80, lastPacketAtUs: startUs },
  ]);
  for (let row = 0; row < batch.count; row++) counter.add(batch, row, 'inbound');
  expect(counter.current).toMatchObject({ hasSources: true, hasTargets: false });
  expect(counter.current.service).toMatchObject({ dstPort: 22, hasSources: false, hasTargets: false });
});

test('a pause of more than ten seconds ends a burst', () => {
  expect(counted([0, 1, 2, 30, 31], () => 22).current).toMatchObject({
    flows: 2,
    sinceUs: startUs + 30e6,
    service: { flows: 2, sinceUs: startUs + 30e6 },
  });
});

test('a scan of many ports counts in all, and takes no more places than there are', () => {
  const { flows, service } = counted(
    Array.from({ length: 1000 }, (_, index) => index / 1000),
    (index) => index + 1,
  ).current;
  expect(flows).toBe(1000);
  expect(service.flows).toBe(1);
});
