/** Packet times as instants, whatever a capture says. */
import { expect, test } from 'vitest';
import { benchStartUs } from '../testing/windows-bench.ts';
import { instantOf } from './packet-time.ts';

test.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [-5, '1970-01-01T00:00:00.000Z'],
  [Number.NaN, '1970-01-01T00:00:00.000Z'],
  [1e300, '9999-12-31T23:59:59.999Z'],
  [benchStartUs + 1234, '2023-11-14T22:13:20.001Z'],
])('the packet time %d is the instant %s', (timeUs, instant) => {
  expect(instantOf(timeUs)).toBe(instant);
});
