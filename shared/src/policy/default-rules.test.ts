import { expect, test } from 'vitest';
import { Rule } from '../contract/rule.ts';
import { trafficClasses } from '../features/traffic-classes.ts';
import { defaultRules } from './default-rules.ts';

const known = trafficClasses.filter((name) => name !== 'benign' && name !== 'other_attack').toSorted();

test('every attack of a known kind is acted on by one default rule at the threshold in force, and by one where it goes on below it', () => {
  for (const rule of defaultRules) expect(Rule.parse(rule)).toEqual(rule);
  const acting = defaultRules.filter((rule) => rule.action !== 'alert_only');
  for (const isLasting of [false, true]) {
    const rules = acting.filter((rule) => (rule.threshold !== null) === isLasting);
    expect(rules.flatMap((rule) => rule.classes).toSorted()).toEqual(known);
  }
  const telling = defaultRules.filter((rule) => rule.action === 'alert_only');
  expect(telling.map(({ classes, threshold }) => ({ classes, threshold }))).toEqual([
    { classes: [], threshold: null },
    { classes: [], threshold: 0.9 },
  ]);
  expect(
    defaultRules.map(({ id }) => id),
    'the order in which a controller lists them',
  ).toEqual(defaultRules.map(({ id }) => id).toSorted());
  expect(new Set(defaultRules.map((rule) => rule.id)).size).toBe(defaultRules.length);
});

test('no default rule acts on one window alone, and none fixes a mode', () => {
  for (const rule of defaultRules) {
    expect(rule.min_windows).toBeGreaterThanOrEqual(2);
    expect(rule.min_windows).toBeLessThanOrEqual(rule.of_windows);
    expect(rule.mode).toBeNull();
    if (rule.threshold !== null) expect(rule.min_windows).toBeGreaterThanOrEqual(15);
  }
});
