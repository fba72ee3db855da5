import { expect, test } from 'vitest';
import type { WindowSequence } from '../dataset/flow-rows.ts';
import { seededRandom } from '../dataset/seeded-random.ts';
import { precisionRecallArea } from '../metrics.ts';
import { resampled } from './resampled.ts';
import type { JudgedWindow } from './scored-sequences.ts';

function stretch(windows: readonly (readonly [label: number, score: number])[]): JudgedWindow[] {
  const sequence = { source: 'made' } as WindowSequence;
  return windows.map(([label, score]) => ({ sequence, label, score, predicted: 0 }));
}

test('an interval is as wide as stretches differ, however many windows they hold', () => {
  const quiet = Array.from({ length: 500 }, () => [0, 0.1] as const);
  const loud = Array.from({ length: 500 }, () => [0, 0.9] as const);
  const alike = [1, 2, 3, 4].flatMap(() => stretch([...quiet, ...loud]));
  expect(resampled(alike, 0.5, 0.75).falseAlarms).toEqual([0.5, 0.5]);
  const unlike = [quiet, quiet, quiet, loud].flatMap((windows) => stretch(windows));
  const [low, high] = resampled(unlike, 0.5, 0.75).falseAlarms!;
  expect([low, high]).toEqual([0, 0.75]);
});

test('the area of all windows lies between the bounds', () => {
  const random = seededRandom(3);
  const windows = Array.from({ length: 12 }, () =>
    stretch(
      Array.from({ length: 40 }, () => {
        const label = random() < 0.4 ? 1 : 0;
        return [label, Math.round(10 * (0.3 * label + 0.7 * random())) / 10];
      }),
    ),
  ).flat();
  const area = precisionRecallArea(
    windows.map(({ score }) => score),
    (index) => windows[index]!.label !== 0,
    0.75,
  );
  const [low, high] = resampled(windows, 0.5, 0.75).area!;
  expect(low).toBeLessThan(area);
  expect(high).toBeGreaterThan(area);
  expect(high - low).toBeLessThan(0.3);
});

test('one stretch has no interval, and benign windows alone have no area', () => {
  expect(resampled(stretch([[0, 0.1]]), 0.5, 0.75)).toEqual({ falseAlarms: undefined, area: undefined });
  const benign = [stretch([[0, 0.1]]), stretch([[0, 0.2]])].flat();
  expect(resampled(benign, 0.5, 0.75)).toEqual({ falseAlarms: [0, 0], area: undefined });
});
