import { expect, test } from 'vitest';
import { RuleSchedule } from '../contract/rule.ts';
import { isScheduled } from './rule-schedule.ts';

const nights = RuleSchedule.parse({ days: ['fri'], from: '22:00', until: '06:00', time_zone: 'Europe/Berlin' });

test.each([
  ['2026-01-02T20:59:00Z', false], // Friday 21:59 in Berlin
  ['2026-01-02T21:00:00Z', true],
  ['2026-01-03T04:59:00Z', true], // Saturday morning belongs to Friday
  ['2026-01-03T05:00:00Z', false],
  ['2026-01-03T21:00:00Z', false],
  ['2026-07-03T20:00:00Z', true], // summer time
  ['2026-07-03T19:59:00Z', false],
])('nights from Friday at %s: %s', (at, expected) => {
  expect(isScheduled(nights, Date.parse(at))).toBe(expected);
});

test('no schedule is always, equal times are the whole day, and office hours end on the minute', () => {
  expect(isScheduled(null, 0)).toBe(true);
  const sundays = RuleSchedule.parse({ days: ['sun'], from: '00:00', until: '00:00' });
  expect(isScheduled(sundays, Date.parse('2026-01-04T23:59:59Z'))).toBe(true);
  expect(isScheduled(sundays, Date.parse('2026-01-05T00:00:00Z'))).toBe(false);
  const office = RuleSchedule.parse({ days: ['mon'], from: '09:00', until: '17:00' });
  expect(isScheduled(office, Date.parse('2026-01-05T16:59:00Z'))).toBe(true);
  expect(isScheduled(office, Date.parse('2026-01-05T17:00:00Z'))).toBe(false);
});

test('a schedule names days, times and a time zone that exist', () => {
  const good = { days: ['mon'], from: '09:00', until: '17:00' };
  expect(RuleSchedule.parse(good).time_zone).toBe('UTC');
  for (const bad of [{ days: [] }, { from: '24:00' }, { until: '9:00' }, { time_zone: 'Mars/Olympus' }])
    expect(RuleSchedule.safeParse({ ...good, ...bad }).success, JSON.stringify(bad)).toBe(false);
});
