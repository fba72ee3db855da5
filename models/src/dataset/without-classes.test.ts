/** What a training is kept from: windows and runs of a class go, everything else stays as it was. */
import { windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import { describeData } from '../data-description.ts';
import { smallDataset } from '../testing/small-dataset.ts';
import { slidingWindows } from './flow-rows.ts';
import type { Dataset } from './flow-rows.ts';
import { classesToLeaveOut, withoutClasses } from './without-classes.ts';

const flood = trafficClasses.indexOf('ddos_flood');

function windowsWith({ rows, sequences }: Dataset, part: string): number {
  return sequences
    .filter((sequence) => sequence.part === part)
    .flatMap(({ windows }) =>
      Array.from({ length: windows.length / windowLength }, (_, number) =>
        windows.subarray(number * windowLength, (number + 1) * windowLength),
      ),
    )
    .filter((window) => window.some((row) => row >= 0 && rows.classes[row] === flood)).length;
}

/** One more training device: twenty honest flows, a flood of five, twenty honest ones again. */
function withMixedStretch(): Dataset {
  const dataset = smallDataset({ floods: true });
  const benign = dataset.sequences.find(({ part, device }) => part === 'train' && device === 'sensor')!;
  const flooded = dataset.sequences.find(({ part, device }) => part === 'train' && device === 'server')!;
  const newest = (sequence: typeof benign, from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, at) => sequence.windows[(from + at + 1) * windowLength - 1]!);
  const numbers = [...newest(benign, 0, 20), ...newest(flooded, 0, 5), ...newest(benign, 20, 40)];
  dataset.sequences.push({
    ...benign,
    device: 'mixed',
    windows: slidingWindows(numbers),
    passed: numbers.map((_, number) => [number]),
    atUs: Float64Array.from(numbers, (_, number) => number),
    counts: Uint8Array.from(numbers, (_, number) => number % 2),
  });
  return dataset;
}

test('windows that hold a flow of the class go from training and validation, and nothing else does', () => {
  const dataset = withMixedStretch();
  const without = withoutClasses(dataset, ['ddos_flood']);
  expect([windowsWith(dataset, 'train'), windowsWith(dataset, 'validation')]).toEqual([134, 120]);
  expect([windowsWith(without, 'train'), windowsWith(without, 'validation')]).toEqual([0, 0]);
  expect(windowsWith(without, 'test')).toBe(120);

  const mixed = without.sequences.find(({ device }) => device === 'mixed')!;
  const kept = [...Array.from({ length: 20 }, (_, at) => at), ...Array.from({ length: 11 }, (_, at) => 34 + at)];
  expect([...mixed.atUs]).toEqual(kept);
  expect([...mixed.counts]).toEqual(kept.map((number) => number % 2));
  expect(mixed.passed).toEqual(kept.map((number) => [number]));
  const before = dataset.sequences.find(({ device }) => device === 'mixed')!;
  for (const [at, number] of kept.entries()) {
    expect(mixed.windows.slice(at * windowLength, (at + 1) * windowLength)).toEqual(
      before.windows.slice(number * windowLength, (number + 1) * windowLength),
    );
  }
  expect(without.sequences).toContain(dataset.sequences.find(({ device }) => device === 'victim'));
  expect(withoutClasses(dataset, [])).toBe(dataset);
});

test('runs of the class are told of in the test part alone', () => {
  const dataset = smallDataset({ floods: true });
  const toolsIn = (left: Parameters<typeof describeData>[1]): string[][] =>
    describeData(withoutClasses(dataset, left ?? []), left).map(({ tools }) => tools);
  const both = ['ddos_flood', 'port_scan'];
  expect(toolsIn([])).toEqual([both, both, both]);
  expect(toolsIn(['ddos_flood'])).toEqual([['port_scan'], ['port_scan'], both]);
});

test('what is no class of attack, is not there, or would leave none is refused by name', () => {
  const dataset = smallDataset({ floods: true });
  expect(classesToLeaveOut(dataset, ['ddos_flood', 'ddos_flood'])).toEqual(['ddos_flood']);
  const refused: readonly (readonly [string[], RegExp])[] = [
    [['benign'], /--leave-out-class benign: there is nothing to tell attacks from/],
    [['flood'], /--leave-out-class flood: there is no such class; to leave out: ddos_flood, port_scan/],
    [['web_xss'], /--leave-out-class web_xss: the training and validation parts hold none of it/],
    [['port_scan', 'ddos_flood'], /no attack would be left to learn from/],
  ];
  for (const [names, message] of refused) expect(() => classesToLeaveOut(dataset, names)).toThrow(message);
});
