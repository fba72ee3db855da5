import { expect, test } from 'vitest';
import { classFigures, falseAlarmShare, macroF1, precisionRecallArea, quietRecall, quietThreshold } from './metrics.ts';

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

test('there is room between thresholds however near to 1 the loudest scores lie', () => {
  const scores = [0.9999, 0.99995, 0.99999];
  const threshold = quietThreshold(scores, 0, [0.5, 1]);
  expect(threshold).toBeGreaterThan(0.99999);
  expect(threshold).toBeLessThan(1);
});

test('recall while quiet counts every class alike, at thresholds that benign windows set', () => {
  const labels = [0, 0, 0, 0, 1, 1, 1, 1, 2];
  const scores = [0.1, 0.2, 0.3, 0.6, 0.5, 0.7, 0.8, 0.9, 0.4];
  const groups = labels.map(() => 'one');
  // Nobody benign alarms above 0.6: three of four and none of one.
  expect(quietRecall(scores, labels, groups, [0])).toBeCloseTo(0.75 / 2, 10);
  // One in four may: everything above 0.3.
  expect(quietRecall(scores, labels, groups, [0.25])).toBeCloseTo(1, 10);
  expect(quietRecall(scores, labels, groups, [0, 0.25])).toBeCloseTo((0.375 + 1) / 2, 10);
});

test('of benign windows each group weighs the same, unless it is too small for what it says to be more than chance', () => {
  const withHub = (windows: number): { labels: number[]; scores: number[]; groups: string[] } => ({
    labels: [...Array.from({ length: 3000 + windows }, () => 0), 1, 1],
    scores: [...Array.from({ length: 3000 + windows }, (_, at) => (at >= 3000 && at % 2 === 0 ? 0.6 : 0.1)), 0.5, 0.9],
    groups: [...Array.from({ length: 3000 + windows }, (_, at) => (at < 3000 ? 'site' : 'hub')), 'site', 'site'],
  });
  const recall = ({ labels, scores, groups }: ReturnType<typeof withHub>, share: number): number =>
    quietRecall(scores, labels, groups, [share]);
  // half of the hub alarms: a quarter of all, though it has a quarter of the windows
  expect(recall(withHub(1000), 0.24)).toBe(0.5);
  expect(recall(withHub(1000), 0.26)).toBe(1);
  // a tenth of a group weighs a tenth of it: 0.5 × 0.1 / 1.1
  expect(recall(withHub(100), 0.044)).toBe(0.5);
  expect(recall(withHub(100), 0.047)).toBe(1);
});
