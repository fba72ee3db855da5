import { expect, test } from 'vitest';
import { classFigures, falseAlarmShare, macroF1, precisionRecallArea, quietThreshold } from './metrics.ts';

test('precision, recall and F1 by class, and their mean over the classes that occur', () => {
  const figures = classFigures([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 0], 3);
  expect(figures[0]).toMatchObject({ support: 3, precision: 2 / 3, recall: 2 / 3 });
  expect(figures[2]).toMatchObject({ support: 0, precision: 0, recall: 0, f1: 0 });
  expect(macroF1(figures)).toBeCloseTo(2 / 3, 10);
});

test('the area under precision over recall is 1 for a perfect order and the base rate for one score', () => {
  const scores = [0.9, 0.8, 0.3, 0.1];
  expect(precisionRecallArea(scores, (index) => index < 2)).toBe(1);
  expect(precisionRecallArea([0.5, 0.5, 0.5, 0.5], (index) => index === 3)).toBe(0.25);
  // Hits at ranks 1 and 3: (1 + 2/3) / 2.
  expect(precisionRecallArea(scores, (index) => index % 2 === 0)).toBeCloseTo(5 / 6, 10);
});

test('the quiet threshold lets no more alarm than allowed, within its bounds', () => {
  const scores = Array.from({ length: 1000 }, (_, index) => index / 1250);
  const threshold = quietThreshold(scores, 0.01, [0.5, 0.9]);
  expect(falseAlarmShare(scores, () => true, threshold)).toBeLessThanOrEqual(0.01);
  expect(falseAlarmShare(scores, () => true, threshold - 0.01)).toBeGreaterThan(0.01);
  expect(quietThreshold([0.1, 0.2], 0, [0.5, 0.9])).toBe(0.5);
  expect(quietThreshold([0.99, 0.999], 0, [0.5, 0.9])).toBe(0.9);
});
