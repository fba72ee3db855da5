import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import { emptyDataset, slidingWindows } from './flow-rows.ts';
import type { Dataset, Part } from './flow-rows.ts';
import { seededRandom } from './seeded-random.ts';
import { hide, hideableGroups, resize, retime } from './vary-flow.ts';
import { WindowSampler } from './window-sampler.ts';

/** Benign flows carry 1 000 000 + n in the masked first column, attack flows 2 000 000 + n, by part. */
function dataset(): Dataset {
  const made = emptyDataset();
  const { rows } = made;
  const stretch = (base: number, trafficClass: 'benign' | 'port_scan', part: Part) => {
    const numbers = Array.from({ length: 40 }, (_, index) => {
      const values = new Float32Array(featureCount).fill(1);
      values[0] = base + index;
      return rows.add(values, trafficClass, trafficClass);
    });
    const windows = slidingWindows(numbers);
    const key = { source: 'made', group: part, capture: part, device: trafficClass, part };
    return { ...key, windows, atUs: new Float64Array(40), counts: new Uint8Array(40) };
  };
  made.sequences.push(
    stretch(1_000_000, 'benign', 'train'),
    stretch(2_000_000, 'port_scan', 'train'),
    stretch(3_000_000, 'benign', 'test'),
  );
  return made;
}

test('windows are drawn from their part, padded in front, and labelled by what they hold', () => {
  const { count, windows, flowsSeen, labels } = new WindowSampler(dataset(), 'train', { random: seededRandom(3) }).draw(
    2000,
  );
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
    new WindowSampler(dataset(), 'train', { random: seededRandom(seed) }).draw(50).windows;
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test('variation keeps what belongs together, and hides only what it is told to', () => {
  const flow = new Float32Array(featureCount);
  const at = (name: string): number => featureNames.indexOf(name);
  const set = (values: Record<string, number>): void => {
    for (const [name, value] of Object.entries(values)) flow[at(name)] = value;
  };
  set({ 'Flow Duration': 2e6, 'Total Fwd Packets': 4, 'Total Backward Packets': 4, 'Flow Packets/s': 4 });
  set({ 'Total Length of Fwd Packets': 400, 'Fwd Packet Length Mean': 100, 'Fwd Packet Length Max': 100 });
  set({ 'Total Length of Bwd Packets': 1200, 'Bwd Packet Length Mean': 300, 'Bwd Packet Length Max': 300 });
  set({ 'Packet Length Mean': 200, 'Max Packet Length': 300, 'Flow Bytes/s': 800 });
  retime(flow, 0, 3);
  expect(flow[at('Flow Duration')]).toBe(6e6);
  expect(flow[at('Flow Packets/s')]).toBeCloseTo(8 / 6, 5);
  resize(flow, 0, 2, 0.5);
  expect(flow[at('Packet Length Mean')]).toBeCloseTo((800 + 600) / 8, 4);
  expect(flow[at('Max Packet Length')]).toBe(200);
  expect(flow[at('Flow Bytes/s')]).toBeCloseTo(1400 / 6, 3);
  expect(flow[at('Packet Length Std')]).toBeCloseTo(Math.sqrt((4 * 25 ** 2 + 4 * 25 ** 2) / 7), 3);
  const before = flow.slice();
  hide(flow, 0, hideableGroups[0]!, new Float32Array(featureCount).fill(7));
  for (const [column, value] of flow.entries()) {
    expect(value).toBe(hideableGroups[0]!.includes(column) ? 7 : before[column]);
  }
  expect(hideableGroups.every((group) => group.length > 0 && !group.includes(0))).toBe(true);
});

test('hard negatives are drawn more often once they are named', () => {
  const data = dataset();
  const sampler = new WindowSampler(data, 'train', { random: seededRandom(9) });
  const hard = data.sequences[0]!.windows.slice(39 * windowLength);
  const share = (): number => {
    const { count, windows } = sampler.draw(1000);
    const newest = Array.from(
      { length: count },
      (_, index) => windows[((index + 1) * windowLength - 1) * featureCount],
    );
    return newest.filter((port) => port === 1_000_039).length / count;
  };
  const before = share();
  sampler.dwellOn([hard]);
  expect(share()).toBeGreaterThan(before + 0.05);
});

test('a device type weighs as much as a site that has fifty times its windows, but for one that has hardly any', () => {
  const made = emptyDataset();
  const add = (group: string, count: number): void => {
    const numbers = Array.from({ length: count }, () =>
      made.rows.add(new Float32Array(featureCount).fill(made.sequences.length), 'benign', ''),
    );
    const key = { source: group, group, capture: group, device: group, part: 'train' as const };
    const windows = slidingWindows(numbers);
    made.sequences.push({ ...key, windows, atUs: new Float64Array(count), counts: new Uint8Array(count) });
  };
  add('site', 50_000);
  add('hub', 1000);
  add('scale', 100);
  const sampler = new WindowSampler(made, 'train', { random: seededRandom(2) });
  const drawn = [0, 0, 0];
  for (let draw = 0; draw < 21_000; draw++) drawn[made.rows.row(sampler.benignWindow().at(-1)!)[0]!]! += 1;
  expect(drawn[0]! / 10_000).toBeCloseTo(1, 1);
  expect(drawn[1]! / 10_000).toBeCloseTo(1, 1);
  expect(drawn[2]! / 1000).toBeCloseTo(1, 0);
});
