import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { tickUs, TimerWheel, wheelSpanUs } from './timer-wheel.ts';

test('every deadline fires once, after its time and less than two ticks late', () => {
  const deadlines = fc.array(fc.integer({ min: 0, max: wheelSpanUs }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(deadlines, fc.integer({ min: 0, max: 2 ** 50 }), fc.nat(3_000_000), (offsets, startUs, strideUs) => {
      const wheel = new TimerWheel(offsets.length);
      wheel.start(startUs);
      for (const [slot, offset] of offsets.entries()) wheel.set(slot, startUs + offset);
      const fired = new Map<number, number>();
      for (let nowUs = startUs; nowUs <= startUs + wheelSpanUs + 3 * tickUs; nowUs += strideUs + tickUs) {
        wheel.advance(nowUs, (slot, atUs) => {
          expect(fired.has(slot)).toBe(false);
          expect(atUs).toBeLessThanOrEqual(nowUs);
          fired.set(slot, atUs);
        });
      }
      wheel.advance(startUs + wheelSpanUs + 10 * tickUs, (slot, atUs) => fired.set(slot, atUs));
      for (const [slot, offset] of offsets.entries()) {
        const lateUs = fired.get(slot)! - (startUs + offset);
        expect(lateUs).toBeGreaterThan(0);
        expect(lateUs).toBeLessThanOrEqual(tickUs);
      }
    }),
    { numRuns: 50 },
  );
});

test('a cleared deadline does not fire, a moved one fires at its new time, one may be set again while it fires', () => {
  const wheel = new TimerWheel(3);
  wheel.start(0);
  for (const slot of [0, 1, 2]) wheel.set(slot, 1_000_000);
  wheel.clear(0);
  wheel.set(1, 3_000_000);
  const fired: [number, number][] = [];
  wheel.advance(10_000_000, (slot, nowUs) => {
    fired.push([slot, Math.floor(nowUs / 1_000_000)]);
    if (slot === 2 && fired.length === 1) wheel.set(2, nowUs + 5_000_000);
  });
  expect(fired).toEqual([
    [2, 1],
    [1, 3],
    [2, 6],
  ]);
});

test('a silence of years costs nothing', () => {
  const wheel = new TimerWheel(1);
  wheel.start(0);
  wheel.set(0, 1_000_000);
  let fired = 0;
  wheel.advance(Number.MAX_SAFE_INTEGER, () => fired++);
  expect(fired).toBe(1);
});
