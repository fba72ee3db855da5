/** Which of several rules acts, and which is held back. */
import { expect, test } from 'vitest';
import { RuleId } from '../contract/identifiers.ts';
import type { Rule } from '../contract/rule.ts';
import { camera, startUs } from '../testing/judged-flows.ts';
import { beacon, Gateway, rule, scan, talk, times, window } from '../testing/prevention-gateway.ts';
import { defaultRules } from './default-rules.ts';
import type { JudgedWindow } from './judged-window.ts';

test('whom a rule acts on is found for what that rule names, not for what an earlier rule tells of', () => {
  const telling = rule({ action: 'alert_only', min_windows: 3, of_windows: 5 });
  const flooding = { dstPort: 80, fwdPackets: 5000, fwdBytes: 400_000, bwdBytes: 0, lastPacketAtUs: startUs + 2e6 };
  const visitor = { ...talk, srcIp: '198.51.100.50', fwdPackets: 4, fwdBytes: 90, bwdBytes: 80 };
  const gateway = new Gateway([telling, ...defaultRules]);
  gateway.see(...times(3, (at) => scan(at)));
  expect(gateway.words).toEqual(['block ip 203.0.113.9']);
  const flood = (at: number): JudgedWindow =>
    window(at, 'ddos_flood', [...times(4, () => ({ ...flooding, srcIp: '198.51.100.1' })), visitor, visitor]);
  gateway.see(flood(200), flood(201));
  expect(gateway.words.slice(1)).toEqual(['block ip 198.51.100.1', `rate_limit ip+port ${camera} tcp/80`]);
});

test('a rule that only tells is an exception to wider rules of the same attack, and to no others', () => {
  const telling = (changes: Partial<Rule>): Rule =>
    rule({
      ...changes,
      id: RuleId.parse('019a0000-0000-7000-8000-00000000000b'),
      action: changes.action ?? 'alert_only',
    });
  const words = (...rules: readonly Rule[]): readonly string[] => {
    const gateway = new Gateway(rules);
    gateway.see(...times(4, (at) => scan(at)));
    return gateway.words;
  };
  const blocked = ['block ip 203.0.113.9'];
  expect(words(telling({ device: camera }), ...defaultRules)).toEqual([]);
  expect(words(telling({ device: camera }), rule({ devices: [camera] }))).toEqual([]);
  expect(words(telling({ devices: [camera] }), ...defaultRules)).toEqual([]);
  expect(words(telling({}), ...defaultRules), 'it is as wide').toEqual(blocked);
  expect(words(telling({ device: camera }), rule({ device: camera })), 'it is no narrower').toEqual(blocked);
  expect(words(telling({ device: camera, classes: ['slow_rate'] }), ...defaultRules)).toEqual(blocked);
  expect(words(telling({ device: camera, action: 'webhook' }), ...defaultRules), 'beside, not instead').toEqual(
    blocked,
  );
  const sundays = { days: ['sun' as const], from: '00:00', until: '00:00', time_zone: 'UTC' };
  expect(words(telling({ device: camera, schedule: sundays }), ...defaultRules), 'not on a Tuesday').toEqual(blocked);
  expect(words(telling({ device: camera, is_enabled: false }), ...defaultRules)).toEqual(blocked);

  const lessSure = (...rules: readonly Rule[]): readonly string[] => {
    const gateway = new Gateway(rules);
    gateway.see(...times(20, (at) => ({ ...scan(at), threshold: 0.98, flowsSeen: 8 })));
    return gateway.words;
  };
  expect(lessSure(...defaultRules)).toEqual(blocked);
  expect(lessSure(telling({ device: camera }), ...defaultRules), 'sure enough for the wider rule only').toEqual([]);
});

test('a gentler rule for a device holds back a wider one that is proven by less sure windows, or by fewer of them', () => {
  const own = (changes: Partial<Rule>): Rule =>
    rule({ id: RuleId.parse('019a0000-0000-7000-8000-00000000000b'), device: camera, ...changes });
  const outside = (at: number): JudgedWindow => ({ ...scan(at), threshold: 0.98, flowsSeen: 8 });
  const byDevice = (at: number): JudgedWindow => ({ ...beacon(at), threshold: 0.98, flowsSeen: 8 });
  /** Twenty windows that only the lasting default rules are proven by. */
  const words = (see: (at: number) => JudgedWindow, ...rules: readonly Rule[]): readonly string[] => {
    const gateway = new Gateway([...rules, ...defaultRules]);
    gateway.see(...times(20, see));
    return gateway.words;
  };
  const [blocked, cut] = ['block ip 203.0.113.9', `block pair 198.51.100.66 ${camera}`];
  expect([words(outside), words(byDevice)]).toEqual([[blocked], [cut]]);

  const both = (other: Rule): readonly (readonly string[])[] => [words(outside, other), words(byDevice, other)];
  expect(both(own({ action: 'rate_limit' }))).toEqual([[], []]);
  expect(both(own({ action: 'rate_limit', device: null, devices: [camera] }))).toEqual([[], []]);
  expect(both(own({ mode: 'simulate' })), 'tried, and no more').toEqual([[], []]);
  // what a rule does to a host outside and to a device are two things
  expect(both(own({ device_ladder: ['observe'] }))).toEqual([[blocked], []]);
  expect(both(own({ device_ladder: ['rate_limit', 'cut_destination'] }))).toEqual([[blocked], []]);
  expect(both(own({})), 'no quarantine').toEqual([[blocked], []]);
  expect(both(own({ action: 'rate_limit', device_ladder: ['quarantine'] }))).toEqual([[], [cut]]);

  expect(both(own({ device_ladder: ['observe', 'quarantine'] })), 'as harsh in the end, and gentler before').toEqual([
    [blocked],
    [],
  ]);
  expect(both(own({ device_ladder: ['cut_destination', 'cut_destination', 'quarantine'] }))).toEqual([[blocked], []]);
  expect(both(own({ device_ladder: ['quarantine', 'observe'] })), 'harsh before it is gentle').toEqual([
    [blocked],
    [cut],
  ]);
  expect(both(own({ device_ladder: ['observe', 'no_wan', 'no_wan'] })), 'never so harsh').toEqual([[blocked], []]);

  const asHarsh = own({ device_ladder: ['no_wan', 'quarantine'] });
  const elsewhere = own({ action: 'rate_limit', device: '192.168.1.9' });
  for (const other of [
    asHarsh,
    elsewhere,
    own({ action: 'quarantine' }),
    own({ action: 'rate_limit', device: null }),
    own({ action: 'rate_limit', is_enabled: false }),
    own({ action: 'rate_limit', classes: ['slow_rate'] }),
    own({ action: 'webhook' }),
  ])
    expect(both(other), JSON.stringify(other)).toEqual([[blocked], [cut]]);

  const limited = new Gateway([own({ action: 'rate_limit', min_windows: 10, of_windows: 10 }), ...defaultRules]);
  limited.see(...times(12, (at) => scan(at)));
  expect(limited.words, 'on its own evidence it acts as ever').toEqual(['rate_limit ip 203.0.113.9']);
});
