import { expect, test } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { decision } from '../testing/decisions.ts';
import { Admission, type AdmissionTerms } from './admission.ts';
import { DecisionStore } from './decision-store.ts';
import { emptyGuard } from './guard.ts';

const nowMs = Date.UTC(2026, 0, 1);
const none: ReadonlySet<string> = new Set();
const terms: AdmissionTerms = { guard: emptyGuard, mode: 'enforce', ahead: 0, lifted: none, forgeable: none };

function manyOf(origin: Decision['origin'], from: number, count: number): Decision[] {
  return Array.from({ length: count }, (_, index) =>
    decision(
      { origin, value: `100.${64 + ((from + index) >> 16)}.${((from + index) >> 8) & 255}.${(from + index) & 255}` },
      nowMs,
    ),
  );
}

test('what the gateway makes by itself never fills what is kept for people', () => {
  using store = DecisionStore.open({ path: ':memory:' });
  const admission = new Admission(store, () => nowMs);
  const stateOf = (changes: Partial<Decision>): string => admission.admit(decision(changes, nowMs), terms).state;
  store.put(manyOf('model', 0, 15_999));
  expect(stateOf({ origin: 'model' })).toBe('admitted');
  store.put(manyOf('rule', 15_999, 1));
  expect(admission.admit(decision({ origin: 'model' }, nowMs), terms)).toMatchObject({
    state: 'refused',
    reason: expect.stringContaining('the rest is kept for people'),
  });
  expect(stateOf({ origin: 'model', action: 'rate_limit', direction: 'to' }), 'protects a target').toBe('admitted');
  for (const origin of ['analyst', 'fleet'] as const) expect(stateOf({ origin })).toBe('admitted');
  store.put(manyOf('analyst', 16_000, 4000));
  expect(stateOf({ origin: 'analyst' })).toBe('refused');
});

test('a long list of the fleet keeps no gateway from defending itself', () => {
  using store = DecisionStore.open({ path: ':memory:' });
  store.put(manyOf('fleet', 0, 18_000));
  const admission = new Admission(store, () => nowMs);
  expect(admission.admit(decision({ origin: 'model' }, nowMs), terms).state).toBe('admitted');
});
