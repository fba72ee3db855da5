import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import { FlowRows, slidingWindows } from './flow-rows.ts';
import type { Dataset, Part } from './flow-rows.ts';
import { seededRandom } from './seeded-random.ts';
import { WindowSampler } from './window-sampler.ts';

/** Benign flows carry 1 000 000 + n in the masked first column, attack flows 2 000 000 + n, by part. */
function dataset(): Dataset {
  const rows = new FlowRows();
  const stretch = (base: number, trafficClass: 'benign' | 'port_scan', part: Part) => {
    const numbers = Array.from({ length: 40 }, (_, index) => {
      const values = new Float32Array(featureCount).fill(1);
      values[0] = base + index;
      return rows.add(values, trafficClass, trafficClass);
    });
    return { source: 'made', group: part, device: trafficClass, part, windows: slidingWindows(numbers) };
  };
  return {
    rows,
    sequences: [
      stretch(1_000_000, 'benign', 'train'),
      stretch(2_000_000, 'port_scan', 'train'),
      stretch(3_000_000, 'benign', 'test'),
    ],
  };
}

test('windows are drawn from their part, padded in front, and labelled by what they hold', () => {
  const { count, windows, flowsSeen, labels } = new WindowSampler(dataset(), 'train', seededRandom(3)).draw(2000);
  const mixtures = new Set<number>();
  const lengths = new Set<number>();
  let sameness = 0;
  for (let index = 0; index < count; index++) {
    const ports = Array.from(
      { length: windowLength },
      (_, slot) => windows[(index * windowLength + slot) * featureCount]!,
    );
    const present = ports.slice(windowLength - flowsSeen[index]!);
    expect(ports.slice(0, windowLength - present.length).every((port) => port === 0)).toBe(true);
    expect(present.every((port) => port >= 1_000_000 && port < 3_000_000)).toBe(true);
    const attacks = present.filter((port) => port >= 2_000_000).length;
    expect(trafficClasses[labels[index]!]).toBe(attacks === 0 ? 'benign' : 'port_scan');
    expect(attacks).not.toBe(1);
    if (attacks < present.length) mixtures.add(attacks);
    lengths.add(present.length);
    if (attacks === 0 && present.length > 1 && new Set(present).size === 1) sameness += 1;
  }
  expect(lengths.size).toBe(windowLength);
  expect(mixtures.size).toBe(9);
  expect(sameness).toBeGreaterThan(50);
});

test('a seed repeats its windows', () => {
  const draw = (seed: number): Float32Array =>
    new WindowSampler(dataset(), 'train', seededRandom(seed)).draw(50).windows;
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});
