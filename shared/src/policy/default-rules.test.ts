import { expect, test } from 'vitest';
import { Rule } from '../contract/rule.ts';
import { trafficClasses } from '../features/traffic-classes.ts';
import { defaultRules } from './default-rules.ts';

test('every attack of a known kind is acted on by exactly one default rule, the last tells of any, and the wire accepts all', () => {
  for (const rule of defaultRules) expect(Rule.parse(rule)).toEqual(rule);
  expect(defaultRules.flatMap((rule) => rule.classes).toSorted()).toEqual(
    trafficClasses.filter((name) => name !== 'benign' && name !== 'other_attack').toSorted(),
  );
  expect(defaultRules.filter((rule) => rule.classes.length === 0)).toEqual([defaultRules.at(-1)]);
  expect(defaultRules.at(-1)).toMatchObject({ action: 'alert_only' });
  expect(new Set(defaultRules.map((rule) => rule.id)).size).toBe(defaultRules.length);
});

test('no default rule acts on one window alone, and none fixes a mode', () => {
  for (const rule of defaultRules) {
    expect(rule.min_windows).toBeGreaterThanOrEqual(2);
    expect(rule.min_windows).toBeLessThanOrEqual(rule.of_windows);
    expect(rule.mode).toBeNull();
  }
});
