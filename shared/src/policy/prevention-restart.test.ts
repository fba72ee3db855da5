/** What the next run of a gateway knows of the restrictions of this one. */
import { expect, test } from 'vitest';
import type { Rule } from '../contract/rule.ts';
import { camera } from '../testing/judged-flows.ts';
import { heldDecision } from '../testing/held-decision.ts';
import { beacon, Gateway, rule, scan } from '../testing/prevention-gateway.ts';

/** As the next run of an agent finds it, given what this one kept of what holds. */
function restarted(gateway: Gateway, rules: readonly Rule[], { stillHeld = true } = {}): Gateway {
  const records = gateway.taken.flatMap(({ restriction }) => gateway.prevention.recordOf(restriction) ?? []);
  const held = gateway.taken.map(({ restriction, rule: { id }, durationSeconds }, index) => ({
    ...heldDecision(),
    ...restriction,
    rule_id: id,
    created_at: new Date(records[index]!.sinceUs / 1000).toISOString(),
    expires_at: new Date(records[index]!.sinceUs / 1000 + durationSeconds * 1000).toISOString(),
  }));
  const next = new Gateway(rules);
  next.prevention.restore(stillHeld ? held : [], records, []);
  return next;
}

test('a restart asks for nothing that is held, and who comes back after it is held longer still', () => {
  const rules = [
    rule({ cooldown_seconds: 0, escalation: { factor: 3, max_duration_seconds: 9000, forget_after_seconds: 9000 } }),
  ];
  const first = new Gateway(rules);
  first.see(scan(0), scan(1), scan(610), scan(611));
  expect(first.taken.map(({ times: time }) => time)).toEqual([1, 2]);
  const second = restarted(first, rules);
  expect(second.see(scan(700), scan(701)), 'it holds').toEqual([]);
  expect(second.see(scan(2500), scan(2501))).toMatchObject([{ durationSeconds: 5400, times: 3 }]);
});

test('a restart that finds a block gone asks for it again', () => {
  const rules = [rule({ cooldown_seconds: 0 })];
  const first = new Gateway(rules);
  first.see(scan(0), scan(1));
  expect(restarted(first, rules, { stillHeld: false }).see(scan(10), scan(11))).toMatchObject([{ times: 2 }]);
});

test('a restart begins no ladder anew, and asks for nothing that a person lifted before its end', () => {
  const rules = [rule({ cooldown_seconds: 0, device_ladder: ['cut_destination', 'no_wan', 'quarantine'] })];
  const first = new Gateway(rules);
  first.see(beacon(0), beacon(1));
  const second = restarted(first, rules);
  second.see(beacon(10), beacon(11), beacon(12, '198.51.100.67'), beacon(13, '198.51.100.67'));
  expect(second.words).toEqual([`no_wan device ${camera}`]);

  second.prevention.forgive(second.taken[0]!.restriction);
  const lifted = second.prevention.recordOf(second.taken[0]!.restriction)!;
  expect(lifted.times).toBe(0);
  const third = new Gateway([rule({ cooldown_seconds: 0, device_ladder: ['no_wan'] })]);
  third.prevention.restore([], [lifted], [lifted]);
  expect(third.see(beacon(20), beacon(21)), 'not before its end').toEqual([]);
  expect(third.see(beacon(700), beacon(701))).toMatchObject([{ times: 1 }]);
});

test('what is only counted is no offence after a restart either', () => {
  const rules = [rule({ cooldown_seconds: 0 })];
  const gateway = new Gateway(rules);
  const [measure] = gateway.see(scan(0), scan(1));
  gateway.prevention.noteHeld(measure!.restriction, 'simulate');
  expect(gateway.prevention.recordOf(measure!.restriction)).toBeUndefined();
});

test('what is held is remembered as it was written down, a moment before it was made, unless a clock was set', () => {
  const rules = [
    rule({ cooldown_seconds: 0, escalation: { factor: 3, max_duration_seconds: 9000, forget_after_seconds: 9000 } }),
  ];
  const first = new Gateway(rules);
  const [measure] = first.see(scan(0), scan(1));
  const { restriction, rule: asked } = measure!;
  const record = first.prevention.recordOf(restriction)!;
  const next = (laterMs: number): Gateway => {
    const at = (us: number): string => new Date(us / 1000 + laterMs).toISOString();
    const times = { created_at: at(record.sinceUs), expires_at: at(record.untilUs) };
    const gateway = new Gateway(rules);
    gateway.prevention.restore([{ ...heldDecision(), ...restriction, ...times, rule_id: asked.id }], [record], []);
    return gateway;
  };
  expect(next(2345).prevention.recordOf(restriction), 'nothing is to be written again').toEqual(record);
  const dayMs = 86_400_000;
  expect(next(dayMs).prevention.recordOf(restriction)?.sinceUs).toBe(record.sinceUs + dayMs * 1000);
  for (const laterMs of [2345, dayMs]) {
    const gateway = next(laterMs);
    gateway.prevention.forget(restriction); // refused this time
    expect(gateway.see(scan(10), scan(11)), 'he did it before all the same').toMatchObject([{ times: 2 }]);
  }
});
