import { expect, test } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { decision } from '../testing/decisions.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { ElementPlan } from './element-plan.ts';

const nowMs = Date.UTC(2026, 0, 1);
const options = { nowMs, addressesOf: () => ['192.168.1.30'] };
const in10Minutes = new Date(nowMs + 600_000).toISOString();

function summary(plan: ElementPlan): unknown {
  return {
    elements: [...plan.elements].map(([key, { expiresAtMs }]) => `${key} ${expiresAtMs}`).toSorted(),
    sets: [...plan.sets.keys()].toSorted(),
    elementsOf: [...plan.decisions]
      .map(([id, { elements }]) => `${id} ${elements.map(({ key }) => key).join()}`)
      .toSorted(),
  };
}

test('one decision more among ten thousand has none of the others read again', () => {
  let read = 0;
  const many = Array.from({ length: 10_000 }, (_, index): Decision => {
    const value = `100.64.${index >> 8}.${index & 255}`;
    const held = decision({ expires_at: in10Minutes }, nowMs);
    return Object.defineProperty({ ...held }, 'value', { get: () => ((read += 1), value) });
  });
  const plan = ElementPlan.of(many, options);
  expect(read).toBeGreaterThanOrEqual(10_000);
  read = 0;
  const one = decision({ expires_at: in10Minutes }, nowMs);
  const change = plan.compare([...many, one], options);
  plan.commit(change);
  expect([change.added.length, change.gone.length, change.claims.size, read]).toEqual([1, 0, 1, 0]);
  expect(plan.elements.size).toBe(10_001);
  expect(plan.compare(many, options)).toMatchObject({ dropped: [one.id], added: [], gone: [{ decisionId: one.id }] });
});

test('a comparison changes nothing before it is committed', () => {
  const plan = ElementPlan.of([decision({ expires_at: in10Minutes }, nowMs)], options);
  const before = summary(plan);
  plan.compare([], options);
  expect(() => plan.compare([decision({ value: 'localhost' }, nowMs)], options)).toThrow('not an IPv4 or IPv6 address');
  expect(summary(plan)).toEqual(before);
});

test('whatever comes and goes, a plan that is kept is the plan that is made anew', () => {
  const random = new SeededRandom(11);
  const pick = <T>(some: readonly T[]): T => some[random.below(some.length)]!;
  const make = (): Decision =>
    decision(
      {
        ...pick([
          { scope: 'ip', value: `203.0.113.${random.below(4)}` },
          { scope: 'cidr', value: '198.51.100.0/24' },
          { scope: 'device', value: '02:00:00:00:00:30' },
          { scope: 'pair', value: '203.0.113.1 192.168.1.20' },
        ] as const),
        direction: pick(['from', 'to', 'both']),
        action: pick(['block', 'rate_limit']),
        mode: pick(['enforce', 'simulate', 'observe']),
        expires_at: new Date(nowMs + random.below(20) * 10_000).toISOString(),
      },
      nowMs,
    );
  const plan = new ElementPlan();
  let decisions: readonly Decision[] = [];
  for (let round = 0; round < 400; round++) {
    const later = { ...options, nowMs: nowMs + round * 500 };
    const kept = decisions.filter(() => random.below(5) > 0);
    decisions = [...kept, ...Array.from({ length: random.below(3) }, make)];
    const before = new Map(plan.elements);
    const change = plan.compare(decisions, later);
    plan.commit(change);
    expect(summary(plan)).toEqual(summary(ElementPlan.of(decisions, later)));
    // what the kernel is told leads from the one to the other
    const keyOf = ({ set, parts }: { set: string; parts: readonly unknown[] }) => `${set} ${parts.join(' . ')}`;
    for (const element of change.gone) before.delete(keyOf(element));
    for (const element of change.added) before.set(keyOf(element), element);
    for (const [key, element] of before) if (element.expiresAtMs <= later.nowMs) before.delete(key);
    expect([...before.keys()].toSorted()).toEqual([...plan.elements.keys()].toSorted());
  }
});
