import { expect, test } from 'vitest';
import { flowBatchOf } from '../testing/flow-rows.ts';
import { addressHashOf, BurstCounter } from './flow-burst.ts';

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
  const { services, pairs } = counted(
    Array.from({ length: 400 }, (_, index) => index / 50),
    (index) => (index % 10 === 0 ? 53 : 22),
  ).current;
  expect(services.map(({ dstPort, flows }) => [dstPort, flows])).toEqual([
    [53, 40],
    [22, 360],
  ]);
  expect(services[1]).toMatchObject({ sinceUs: startUs + 20_000, untilUs: startUs + 7_981_000, hasServices: false });
  expect(pairs).toMatchObject([{ flows: 400, hasServices: true }]);
});

test('whoever takes part is counted apart: a sweep by its opener, each host of it by the pair', () => {
  const counter = new BurstCounter();
  const flow = { flowNumber: 1, dstPort: 22, lastPacketAtUs: startUs };
  const batch = flowBatchOf([
    { ...flow, src: '203.0.113.9', dst: '192.168.1.20' },
    { ...flow, src: '203.0.113.9', dst: '192.168.1.20' },
    { ...flow, src: '203.0.113.8', dst: '192.168.1.20', dstPort: 80 },
    { ...flow, src: '203.0.113.9', dst: 'fd00::7' },
  ]);
  for (let row = 0; row < batch.count; row++) counter.add(batch, row, 'inbound');
  const { services, openers, pairs } = counter.current;
  const [own, other, third] = ['203.0.113.9', '203.0.113.8', 'fd00::7'].map(addressHashOf);
  expect(services).toMatchObject([
    { dstPort: 22, flows: 3, hasSources: false, hasTargets: true },
    { dstPort: 80, flows: 1 },
  ]);
  expect(openers).toMatchObject([
    { source: own, flows: 3, hasTargets: true, hasServices: false },
    { source: other, flows: 1 },
  ]);
  expect(pairs).toMatchObject([
    { source: own, target: addressHashOf('192.168.1.20'), flows: 2, hasTargets: false },
    { source: other, flows: 1 },
    { source: own, target: third, flows: 1 },
  ]);
});

test('a pause of more than ten seconds ends a burst', () => {
  const { services } = counted([0, 1, 2, 30, 31], () => 22).current;
  expect(services).toMatchObject([{ flows: 2, sinceUs: startUs + 30e6 }]);
});

test('a scan of many ports counts as one pair, and takes no more places than there are', () => {
  const { services, openers, pairs } = counted(
    Array.from({ length: 1000 }, (_, index) => index / 1000),
    (index) => index + 1,
  ).current;
  expect(services.map(({ dstPort, flows }) => [dstPort, flows])).toEqual([
    [997, 1],
    [998, 1],
    [999, 1],
    [1000, 1],
  ]);
  for (const [burst, ...others] of [openers, pairs]) {
    expect(burst).toMatchObject({ flows: 1000, hasServices: true });
    expect(others).toEqual([]);
  }
});
