import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecisionDirection, type Decision } from '../contract/decision.ts';
import { RuleId, type DecisionId } from '../contract/identifiers.ts';
import { DeviceStep, RuleAction, type Rule } from '../contract/rule.ts';
import { trafficClasses } from '../features/traffic-classes.ts';
import { camera, halfOpen, knock, startUs } from '../testing/judged-flows.ts';
import { maxUnprovenSources } from './crowd.ts';
import { parseDecisionValue } from './decision-value.ts';
import { defaultRules } from './default-rules.ts';
import { guardedAddress } from './guarded-address.ts';
import type { AttackClass, JudgedFlow, JudgedWindow } from './judged-window.ts';
import { findingsOf, type Measure } from './measures.ts';
import { Prevention, type PreventionOptions } from './prevention.ts';
import { networkLength } from './source-prefix.ts';

function rule(changes: Partial<Rule> = {}): Rule {
  return {
    ...defaultRules[1]!,
    id: RuleId.parse('019a0000-0000-7000-8000-00000000000a'),
    classes: [],
    device_ladder: [],
    min_windows: 2,
    of_windows: 3,
    min_flows: 1,
    cooldown_seconds: 60,
    duration_seconds: 600,
    escalation: null,
    ...changes,
  };
}

const talk: Partial<JudgedFlow> = { fwdPackets: 9, bwdPackets: 8, fwdBytes: 900, bwdBytes: 900 };

/** `at` in seconds. */
function window(at: number, attack: AttackClass, flows: readonly Partial<JudgedFlow>[], device = camera): JudgedWindow {
  return {
    device: { address: device, mac: null },
    atUs: startUs + at * 1e6,
    score: 0.97,
    threshold: 0.5,
    attack,
    flowsSeen: flows.length,
    countsAsEvidence: true,
    flowImportance: null,
    flows: flows.map((flow) => ({ ...knock, dstIp: device, ...flow })),
  };
}

class Gateway {
  readonly prevention: Prevention;
  readonly taken: Measure[] = [];

  constructor(rules: readonly Rule[], options: Partial<PreventionOptions> = {}) {
    this.prevention = new Prevention({ rules, ...options });
  }

  see(...windows: readonly JudgedWindow[]): readonly Measure[] {
    const before = this.taken.length;
    for (const seen of windows) {
      const proven = this.prevention.weigh(seen);
      for (const finding of findingsOf(proven)) this.taken.push(...this.prevention.act(seen, finding).taken);
    }
    return this.taken.slice(before);
  }

  get words(): readonly string[] {
    return this.taken.map(({ restriction: { action, scope, value } }) => `${action} ${scope} ${value}`);
  }
}

const times = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));
const beacon = (at: number, dstIp = '198.51.100.66'): JudgedWindow =>
  window(
    at,
    'botnet_beacon',
    times(5, () => ({ srcIp: camera, dstIp, direction: 'outbound' as const })),
  );
const scan = (at: number, srcIp = '203.0.113.9', more: Partial<JudgedFlow> = {}): JudgedWindow =>
  window(
    at,
    'port_scan',
    times(10, (port) => ({ srcIp, dstPort: port + 1, ...more })),
  );

test('the default rules do what an expert would sign, class by class', () => {
  const outside = (attack: AttackClass, flow: Partial<JudgedFlow>): readonly string[] => {
    const gateway = new Gateway(defaultRules);
    gateway.see(
      ...times(8, (at) =>
        window(
          at,
          attack,
          times(10, () => flow),
        ),
      ),
    );
    return gateway.words;
  };
  const flood = { ...talk, fwdPackets: 900, dstPort: 80 };
  expect(outside('ddos_flood', flood)).toEqual(['block ip 203.0.113.9', `rate_limit ip+port ${camera} tcp/80`]);
  expect(outside('port_scan', {})).toEqual(['block ip 203.0.113.9']);
  expect(outside('brute_force_ssh', { ...talk, dstPort: 22 })).toEqual(['block ip 203.0.113.9']);
  expect(outside('web_sqli', { ...talk, dstPort: 80 })).toEqual(['block ip 203.0.113.9']);
  expect(outside('other_attack', talk)).toEqual([]);

  const ours = { srcIp: camera, dstIp: '198.51.100.66', direction: 'outbound' as const };
  expect(outside('data_exfiltration', { ...ours, fwdBytes: 9e6 })).toEqual([`block pair 198.51.100.66 ${camera}`]);
  expect(outside('brute_force_ssh', { ...ours, dstPort: 22 })).toEqual([`quarantine device ${camera}`]);
  const among = { srcIp: '192.168.1.66', direction: 'internal' as const, dstPort: 22 };
  expect(outside('brute_force_ssh', among)).toEqual(['quarantine device 192.168.1.66']);
});

test('a beacon is cut from its server; what is only dropped since is no new offence; another server means quarantine', () => {
  const gateway = new Gateway(defaultRules);
  gateway.see(...times(20, (at) => beacon(at * 10)));
  expect(gateway.words).toEqual([`block pair 198.51.100.66 ${camera}`]);
  gateway.see(...times(3, (at) => beacon(210 + at * 10, '198.51.100.77')));
  expect(gateway.words, 'the rule rests').toHaveLength(1);
  gateway.see(...times(20, (at) => beacon(400 + at * 10, '198.51.100.77')));
  expect(gateway.words.slice(1)).toEqual([`quarantine device ${camera}`]);
});

test('a ladder is climbed a step at a time, each on what was seen since the one before, and ends at its top', () => {
  const steps: readonly DeviceStep[] = ['observe', 'rate_limit', 'no_wan', 'quarantine'];
  const gateway = new Gateway([rule({ device_ladder: [...steps], duration_seconds: 3600 })]);
  const outward = (at: number): JudgedWindow =>
    window(
      at,
      'port_scan',
      times(10, (host) => ({ srcIp: camera, dstIp: `198.51.100.${host}`, direction: 'outbound' })),
    );
  gateway.see(outward(0), outward(1), outward(2));
  expect(gateway.words).toEqual([]);
  gateway.see(outward(65), outward(66));
  expect(gateway.words).toEqual([`rate_limit device ${camera}`]);
  gateway.see(outward(130), outward(131));
  expect(gateway.words.slice(1)).toEqual([`no_wan device ${camera}`]);
  gateway.see(...times(10, (index) => outward(200 + index)));
  expect(gateway.words.slice(2), 'without a WAN it can do nothing beyond').toEqual([]);
  const inward = (at: number): JudgedWindow =>
    window(
      at,
      'port_scan',
      times(10, (host) => ({ srcIp: camera, dstIp: `192.168.1.${host + 50}`, direction: 'internal' })),
    );
  gateway.see(...times(10, (index) => inward(300 + index)));
  expect(gateway.words.slice(2)).toEqual([`quarantine device ${camera}`]);
  gateway.see(...times(10, (index) => inward(400 + index)));
  expect(gateway.words).toHaveLength(3);
});

test('who is released by a person begins at the bottom of the ladder, and not before the end of what was lifted', () => {
  const gateway = new Gateway([rule({ device_ladder: ['rate_limit', 'quarantine'], cooldown_seconds: 10 })]);
  gateway.see(beacon(0), beacon(1), beacon(20), beacon(21));
  expect(gateway.words).toEqual([`rate_limit device ${camera}`, `quarantine device ${camera}`]);
  gateway.prevention.forgive(gateway.taken[1]!.restriction);
  gateway.see(...times(5, (index) => beacon(100 + index)));
  expect(gateway.words).toHaveLength(2);
  gateway.see(beacon(2000), beacon(2001));
  expect(gateway.words.slice(2)).toEqual([`rate_limit device ${camera}`]);
});

test('who comes back is held longer each time, up to the bound, and is a stranger again after a quiet time', () => {
  const escalation = { factor: 3, max_duration_seconds: 4000, forget_after_seconds: 1000 };
  const gateway = new Gateway([rule({ escalation, cooldown_seconds: 0 })]);
  let at = 0;
  const durations: number[] = [];
  for (let round = 0; round < 4; round++) {
    const [measure] = gateway.see(scan(at), scan(at + 1));
    durations.push(measure!.durationSeconds);
    expect(measure!.times).toBe(round + 1);
    at += measure!.durationSeconds + 10;
  }
  expect(durations).toEqual([600, 1800, 4000, 4000]);
  expect(gateway.see(scan(at + 1001), scan(at + 1002))[0]).toMatchObject({ durationSeconds: 600, times: 1 });
});

/** As the next run of an agent finds it, given what this one kept of what holds. */
function restarted(gateway: Gateway, rules: readonly Rule[], { stillHeld = true } = {}): Gateway {
  const records = gateway.taken.flatMap(({ restriction }) => gateway.prevention.recordOf(restriction) ?? []);
  const held = gateway.taken.map(({ restriction, rule: { id }, durationSeconds }, index) => ({
    ...heldDecision,
    ...restriction,
    rule_id: id,
    created_at: new Date(records[index]!.sinceUs / 1000).toISOString(),
    expires_at: new Date(records[index]!.sinceUs / 1000 + durationSeconds * 1000).toISOString(),
  }));
  const next = new Gateway(rules);
  next.prevention.restore(stillHeld ? held : [], records, []);
  return next;
}

const heldDecision: Decision = {
  id: '019a0000-0000-7000-8000-00000000000d' as DecisionId,
  origin: 'model',
  action: 'block',
  scope: 'ip',
  value: '203.0.113.9',
  direction: 'both',
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-01-01T01:00:00.000Z',
  scenario: 'port_scan',
  mode: 'enforce',
  reason: 'test',
  who: 'test',
  alert_id: null,
  rule_id: null,
};

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

test('what was refused is held against nobody', () => {
  const escalation = { factor: 4, max_duration_seconds: 9000, forget_after_seconds: 9000 };
  const gateway = new Gateway([
    rule({ escalation, cooldown_seconds: 0, device_ladder: ['cut_destination', 'no_wan'] }),
  ]);
  for (const at of [0, 10, 20]) {
    const [refused] = gateway.see(scan(at), scan(at + 1));
    gateway.prevention.forget(refused!.restriction);
    const [cut] = gateway.see(beacon(at + 2), beacon(at + 3));
    gateway.prevention.forget(cut!.restriction);
  }
  expect(gateway.see(scan(100), scan(101))).toMatchObject([{ durationSeconds: 600, times: 1 }]);
  expect(gateway.see(beacon(102), beacon(103))).toMatchObject([{ step: 'cut_destination', times: 1 }]);
});

test('outside its schedule a rule restricts nothing', () => {
  const schedule = { days: ['sun' as const], from: '00:00', until: '00:00', time_zone: 'UTC' };
  expect(new Gateway([rule({ schedule })]).see(scan(0), scan(1))).toEqual([]); // a Tuesday
  const tuesday = { ...schedule, days: ['tue' as const] };
  expect(new Gateway([rule({ schedule: tuesday })]).see(scan(0), scan(1))).toHaveLength(1);
});

test('a rule for the members of a group is for them alone, by address or MAC', () => {
  expect(new Gateway([rule({ devices: [camera] })]).see(scan(0), scan(1))).toHaveLength(1);
  expect(new Gateway([rule({ devices: ['192.168.1.99'] })]).see(scan(0), scan(1))).toEqual([]);
});

test('one attacker of IPv6 is its /64, but never a /64 that holds what the guard protects', () => {
  const v6 = [0, 1].map((at) => scan(at, '2001:db8:bad::1'));
  const gateway = new Gateway([rule()]);
  gateway.see(...v6);
  expect(gateway.words).toEqual(['block cidr 2001:db8:bad::/64']);
  const careful = new Gateway([rule()], { isGuarded: (scope) => scope === 'cidr' });
  careful.see(...v6);
  expect(careful.words).toEqual(['block ip 2001:db8:bad::1']);
});

test('many proven hosts of one network are the network, once; hosts that only knocked never are', () => {
  const many = (more: Partial<JudgedFlow>): Gateway => {
    const gateway = new Gateway([rule({ classes: ['brute_force_ssh'], cooldown_seconds: 0 })]);
    for (let host = 1; host <= 30; host++) {
      const flows = times(5, () => ({ srcIp: `203.0.113.${host}`, dstPort: 22, ...more }));
      gateway.see(window(host * 2, 'brute_force_ssh', flows), window(host * 2 + 1, 'brute_force_ssh', flows));
    }
    return gateway;
  };
  const genuine = many(talk).words;
  expect(genuine.filter((text) => text === 'block cidr 203.0.113.0/24')).toHaveLength(1);
  expect(genuine.filter((text) => text.startsWith('block ip'))).toHaveLength(4);
  const knocking = many({}).words;
  expect(knocking).not.toContain('block cidr 203.0.113.0/24');
  expect(knocking).toHaveLength(maxUnprovenSources);
});

test("behind the gateway's own address the other end is cut for all, and the gateway itself never", () => {
  const own = () => new Set(['198.51.100.1']);
  const flows = times(5, () => ({ srcIp: '198.51.100.1', dstIp: '203.0.113.66', direction: 'outbound' as const }));
  const gateway = new Gateway(defaultRules, { ownAddresses: own });
  gateway.see(...times(8, (at) => window(at, 'botnet_beacon', flows, '198.51.100.1')));
  expect(gateway.words).toEqual(['block ip 203.0.113.66']);
});

test('a device that attacks the gateway itself is kept from it, or quarantined; the gateway is no value', () => {
  const flows = times(5, () => ({ srcIp: camera, dstIp: '192.168.1.1', direction: 'internal' as const, dstPort: 22 }));
  const see = (tried: Rule): readonly string[] => {
    const gateway = new Gateway([tried], { ownAddresses: () => new Set(['192.168.1.1']) });
    gateway.see(window(0, 'brute_force_ssh', flows), window(1, 'brute_force_ssh', flows));
    return gateway.words;
  };
  expect(see(rule())).toEqual([`block pair ${camera} 192.168.1.1`]);
  expect(see(rule({ device_ladder: ['cut_destination'] }))).toEqual([`block pair ${camera} 192.168.1.1`]);
  expect(see(rule({ device_ladder: ['quarantine'] }))).toEqual([`quarantine device ${camera}`]);
});

test('a clock that was set back a day keeps nothing from being asked for again', () => {
  const gateway = new Gateway([rule()]);
  gateway.see(scan(90_000), scan(90_001), scan(90_002));
  expect(gateway.words).toHaveLength(1);
  gateway.see(scan(90_100), scan(90_101));
  expect(gateway.words, 'it holds').toHaveLength(1);
  gateway.see(scan(3600), scan(3601), scan(3602));
  expect(gateway.words).toEqual(['block ip 203.0.113.9', 'block ip 203.0.113.9']);
});

test('what was refused is asked for again; what holds is not', () => {
  const gateway = new Gateway([rule({ cooldown_seconds: 0 })]);
  gateway.see(scan(0), scan(1), scan(2));
  expect(gateway.taken).toHaveLength(1);
  gateway.prevention.forget(gateway.taken[0]!.restriction);
  gateway.see(scan(3));
  expect(gateway.taken).toHaveLength(2);
});

test('what was only observed or counted is asked for again under new rules or a new mode, as the first time', () => {
  const escalation = { factor: 4, max_duration_seconds: 9000, forget_after_seconds: 9000 };
  const rules = [rule({ escalation, device_ladder: ['cut_destination', 'quarantine'] })];
  const gateway = new Gateway(rules);
  const attacks = (at: number): readonly Measure[] =>
    gateway.see(beacon(at), beacon(at + 1), scan(at + 2), scan(at + 3));
  const first = attacks(0);
  expect(gateway.words).toEqual([`block pair 198.51.100.66 ${camera}`, 'block ip 203.0.113.9']);
  gateway.prevention.noteHeld(first[0]!.restriction, 'observe');
  gateway.prevention.noteHeld(first[1]!.restriction, 'simulate');
  expect(attacks(100), 'it is on paper as it should be').toEqual([]);
  gateway.prevention.useRules(rules);
  const second = attacks(200);
  expect(second).toMatchObject(first.map(({ restriction }) => ({ restriction, durationSeconds: 600, times: 1 })));
  for (const { restriction } of second) gateway.prevention.noteHeld(restriction, 'enforce');
  gateway.prevention.useRules(rules);
  expect(attacks(300), 'now it holds').toEqual([]);
});

test('what a person lifted is not asked for again when the rules change, on paper or not', () => {
  const gateway = new Gateway([rule()]);
  const [measure] = gateway.see(scan(0), scan(1));
  gateway.prevention.noteHeld(measure!.restriction, 'simulate');
  gateway.prevention.forgive(measure!.restriction);
  gateway.prevention.useRules([rule()]);
  expect(gateway.see(scan(100), scan(101))).toEqual([]);
});

test('whom our devices talk to is not blocked for what may be forged in its name; proven, it is', () => {
  const [resolver, cloud, neighbour] = ['203.0.113.53', '2001:db8:c10d::1', '192.168.1.21'];
  const lookup = { srcIp: neighbour, dstIp: resolver, direction: 'outbound' as const, protocol: 17, dstPort: 53 };
  const upload = { ...talk, srcIp: neighbour, dstIp: cloud, direction: 'outbound' as const };
  const after = (flows: readonly Partial<JudgedFlow>[], ...attacks: readonly JudgedWindow[]): readonly string[] => {
    const gateway = new Gateway([rule({ cooldown_seconds: 0 })]);
    gateway.see({ ...window(0, 'other_attack', flows, neighbour), score: 0.01 }, ...attacks);
    return gateway.words;
  };
  const scans = (source: string): readonly JudgedWindow[] => [scan(3600, source), scan(3601, source)];
  const flood = (at: number): JudgedWindow =>
    window(
      at,
      'ddos_flood',
      times(10, () => ({ srcIp: resolver, protocol: 17, dstPort: 80, fwdPackets: 900, bwdPackets: 0 })),
    );
  expect(after([lookup], ...scans(resolver))).toEqual([]);
  expect(after([lookup], flood(3600), flood(3601))).toEqual([`rate_limit ip+port ${camera} udp/80`]);
  expect(after([upload], ...scans('2001:db8:c10d::bad')), 'its /64 would be cut').toEqual([]);
  expect(after([{ ...upload, protocol: 6, bwdBytes: 0 }], ...scans(cloud)), 'a refusal is no conversation').toEqual([
    'block cidr 2001:db8:c10d::/64',
  ]);
  expect(after([{ ...lookup, isRelayed: true }], ...scans(resolver)), 'not its own word').toEqual([
    `block ip ${resolver}`,
  ]);
  expect(after([lookup], ...scans('203.0.113.54'))).toEqual(['block ip 203.0.113.54']);
  const guesses = times(5, () => ({ ...talk, srcIp: resolver, dstPort: 22 }));
  const guessing = [3600, 3601].map((at) => window(at, 'brute_force_ssh', guesses));
  expect(after([lookup], ...guessing), 'it went on with the conversation').toEqual([`block ip ${resolver}`]);
  const muchLater = 40 * 3600;
  expect(after([lookup], scan(muchLater, resolver), scan(muchLater + 1, resolver))).toEqual([`block ip ${resolver}`]);
});

test('a device behind a router is not restricted by the MAC of that router, though it was taken for its own before', () => {
  const behind = '192.168.1.77';
  const told = (at: number, mac: string | null): JudgedWindow => ({
    ...window(at, 'port_scan', [talk], behind),
    device: { address: behind, mac },
    score: 0.01,
  });
  const attacked = (at: number): JudgedWindow => scan(at, behind, { direction: 'internal' });
  const words = (...macs: readonly (string | null)[]): readonly string[] => {
    const gateway = new Gateway([rule({ action: 'quarantine' })]);
    gateway.see(...macs.map((mac, at) => told(at, mac)), attacked(10), attacked(11));
    return gateway.words;
  };
  const mac = '02:00:00:00:00:77';
  expect(words(mac)).toEqual([`quarantine device ${mac}`]);
  expect(words(mac, null)).toEqual([`quarantine device ${behind}`]);
});

test('a rule for an address of IPv6 is met however its author wrote it', () => {
  const device = 'fd00::14';
  const attacked = [0, 1].map((at) =>
    window(
      at,
      'port_scan',
      times(10, () => ({})),
      device,
    ),
  );
  for (const written of ['fd00::14', 'FD00:0:0::14', 'fd00:0000::0014']) {
    expect(new Gateway([rule({ device: written })]).see(...attacked), written).toHaveLength(1);
    expect(new Gateway([rule({ devices: [written] })]).see(...attacked), written).toHaveLength(1);
  }
  expect(new Gateway([rule({ device: 'fd00::15' })]).see(...attacked)).toEqual([]);
});

test('one host of IPv4 behind a translator is that host: its /64 is the whole internet', () => {
  for (const host of ['64:ff9b::cb00:7109', '64:ff9b:1::cb00:7109', '64:ff9b:1:fffe::cb00:7109']) {
    const gateway = new Gateway([rule()]);
    gateway.see(scan(0, host), scan(1, host));
    expect(gateway.words).toEqual([`block ip ${host}`]);
  }
  const many = new Gateway([rule({ cooldown_seconds: 0 })]);
  for (let host = 1; host <= 9; host++) {
    const flows = times(5, () => ({ ...talk, srcIp: `64:ff9b::cb00:710${host}`, dstPort: 22 }));
    many.see(window(host * 2, 'brute_force_ssh', flows), window(host * 2 + 1, 'brute_force_ssh', flows));
  }
  expect(many.words).toHaveLength(9);
  for (const word of many.words) expect(word).toMatch(/^block ip /);
  const beside = new Gateway([rule()]);
  beside.see(scan(0, '64:ff9a::1'), scan(1, '64:ff9a::1'));
  expect(beside.words).toEqual(['block cidr 64:ff9a::/64']);
});

test('an offender of before a clock was set back by years is a stranger', () => {
  const escalation = { factor: 4, max_duration_seconds: 9000, forget_after_seconds: 3600 };
  const gateway = new Gateway([rule({ escalation })]);
  const years = 3e8;
  expect(gateway.see(scan(years), scan(years + 1))[0]).toMatchObject({ durationSeconds: 600, times: 1 });
  expect(gateway.see(scan(years + 700), scan(years + 701))[0]).toMatchObject({ durationSeconds: 2400, times: 2 });
  expect(gateway.see(scan(0), scan(1))[0]).toMatchObject({ durationSeconds: 600, times: 1 });
});

// --- whatever is seen ---

/** The same host in both families. */
const outsideHost = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 255 })).map(([net, host]) => ({
  v4: `203.0.${net}.${host}`,
  v6: `2001:db8:${net}:${((host & 15) + 1).toString(16)}::${host.toString(16)}`,
}));
const insideHost = fc.integer({ min: 1, max: 40 }).map((host) => ({
  v4: `192.168.1.${host}`,
  v6: `fd00::${host.toString(16)}`,
}));
const count = fc.integer({ min: 0, max: 2000 });
const anyFlow = fc
  .record({
    outside: outsideHost,
    inside: insideHost,
    direction: fc.constantFrom('inbound', 'outbound', 'internal'),
    dstPort: fc.integer({ min: 0, max: 65_535 }),
    protocol: fc.constantFrom(1, 6, 17),
    fwdPackets: count,
    bwdPackets: count,
    fwdBytes: count,
    bwdBytes: count,
  })
  .map(({ outside, inside, ...flow }) => ({ outside, inside, flow }));
const anyWindow = fc.record({
  family: fc.constantFrom('v4' as const, 'v6' as const),
  device: fc.constantFrom(
    { v4: '192.168.1.1', v6: 'fd00::1' },
    { v4: '192.168.1.20', v6: 'fd00::14' },
    { v4: '192.168.1.21', v6: 'fd00::15' },
  ),
  attack: fc.constantFrom(...trafficClasses.filter((name) => name !== 'benign')),
  pause: fc.integer({ min: 0, max: 400 }),
  flows: fc.array(anyFlow, { minLength: 1, maxLength: 10 }),
  score: fc.constantFrom(0.2, 0.5, 0.9, 0.99),
});
const anyRule = fc
  .record({
    action: fc.constantFrom(...RuleAction.options),
    device_ladder: fc.uniqueArray(fc.constantFrom(...DeviceStep.options), { maxLength: 5 }),
    direction: fc.option(fc.constantFrom(...DecisionDirection.options)),
    min_windows: fc.integer({ min: 1, max: 4 }),
    cooldown_seconds: fc.integer({ min: 0, max: 300 }),
    duration_seconds: fc.integer({ min: 10, max: 7200 }),
    escalation: fc.option(
      fc.record({
        factor: fc.integer({ min: 1, max: 24 }),
        max_duration_seconds: fc.integer({ min: 10, max: 86_400 }),
        forget_after_seconds: fc.integer({ min: 60, max: 86_400 }),
      }),
    ),
  })
  .map((changes) => rule({ ...changes, of_windows: 4 }));

test('whatever is seen, nothing is asked for that the guard would refuse, that is too wide, or that never ends', () => {
  const own = ['192.168.1.1', 'fd00::1', '203.0.1.7', '2001:db8:1:1::1'];
  const asked = new Map<string, number>();
  fc.assert(
    fc.property(anyRule, fc.array(anyWindow, { minLength: 20, maxLength: 60 }), (tried, sketches) => {
      const isGuarded: PreventionOptions['isGuarded'] = (scope, value) => {
        const parsed = parseDecisionValue(scope, value);
        return !parsed.ok || guardedAddress(parsed.target, own) !== undefined;
      };
      const gateway = new Gateway([tried], { isGuarded, ownAddresses: () => new Set(own) });
      let at = 0;
      for (const { family, device: hosts, attack, pause, flows, score } of sketches) {
        at += pause;
        const device = hosts[family];
        const seen = window(
          at,
          attack,
          flows.map(({ outside, inside, flow }) => {
            const peer = (flow.direction === 'internal' ? inside : outside)[family];
            return flow.direction === 'outbound'
              ? { ...flow, direction: 'outbound', srcIp: device, dstIp: peer }
              : { ...flow, direction: flow.direction, srcIp: peer, dstIp: device };
          }),
          device,
        );
        const taken = gateway.see({ ...seen, score });
        expect(taken.length).toBeLessThanOrEqual(11);
        for (const { restriction, durationSeconds, proof, times: nth } of taken) {
          const kind = `${restriction.action} ${restriction.scope}`;
          asked.set(kind, (asked.get(kind) ?? 0) + 1);
          expect(score).toBeGreaterThanOrEqual(tried.threshold ?? 0.5);
          expect(proof.hits).toBeGreaterThanOrEqual(tried.min_windows);
          expect(durationSeconds).toBeGreaterThanOrEqual(tried.duration_seconds);
          expect(durationSeconds).toBeLessThanOrEqual(
            Math.max(tried.duration_seconds, tried.escalation?.max_duration_seconds ?? 0),
          );
          expect(nth).toBeGreaterThanOrEqual(1);
          const parsed = parseDecisionValue(restriction.scope, restriction.value);
          expect(parsed.ok && parsed.value, `${restriction.scope} ${restriction.value}`).toBe(restriction.value);
          if (!parsed.ok) continue;
          if (parsed.target.scope === 'cidr') {
            expect(parsed.target.prefix).toBeGreaterThanOrEqual(networkLength[parsed.target.family]);
            expect(guardedAddress(parsed.target, own)).toBeUndefined();
          }
          if (restriction.action === 'quarantine' || restriction.action === 'no_wan') {
            expect(restriction.scope).toBe('device');
            expect(own).not.toContain(restriction.value);
          }
          if (restriction.action === 'block' && restriction.scope === 'ip')
            expect(own).not.toContain(restriction.value);
        }
      }
    }),
    { numRuns: 150 },
  );
  // every kind of restriction came up, or the property says nothing about it
  const kinds = ['block ip', 'block cidr', 'block pair', 'rate_limit ip', 'rate_limit device', 'no_wan device'];
  for (const kind of [...kinds, 'quarantine device']) expect(asked.get(kind) ?? 0, kind).toBeGreaterThan(0);
});

test('a forged flood is answered at its target from its second window on, however unsure the network is', () => {
  const unsure = (at: number, more: Partial<JudgedFlow> = {}): JudgedWindow => ({
    ...window(
      at,
      'other_attack',
      times(10, (index) => ({
        srcIp: `203.${at * 4}.${index}.9`,
        startedAtUs: startUs + at * 1e6 + index * 1000,
        ...halfOpen,
        ...more,
      })),
    ),
    score: 0.3,
  });
  const gateway = new Gateway(defaultRules);
  gateway.see(unsure(0));
  expect(gateway.words, 'one window is no proof').toEqual([]);
  gateway.see(unsure(0.25), unsure(0.5), unsure(0.75));
  expect(gateway.words).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
  expect(gateway.taken[0]?.proof).toMatchObject({ attack: 'ddos_flood', hits: 2, of: 2, flood: { port: 80 } });

  const visited = new Gateway(defaultRules);
  visited.see(...[0, 0.25, 0.5, 0.75].map((at) => unsure(at, talk)));
  expect(visited.words, 'who talks is asked of the network').toEqual([]);
  const other = new Gateway([rule({ classes: ['port_scan'] })]);
  other.see(...[0, 0.25, 0.5, 0.75].map((at) => unsure(at)));
  expect(other.words, 'a rule for other classes').toEqual([]);
});

test('whatever addresses a flood forges, its sources are named a few times a minute at most, and its target once', () => {
  const forged = fc.record({
    host: fc.integer({ min: 0, max: 0xffffff }),
    flows: fc.integer({ min: 1, max: 10 }),
    attack: fc.constantFrom<AttackClass>('ddos_flood', 'port_scan'),
  });
  fc.assert(
    fc.property(fc.array(forged, { minLength: 50, maxLength: 200 }), (windows) => {
      const gateway = new Gateway([rule({ cooldown_seconds: 0, duration_seconds: 3600 })]);
      gateway.see(
        ...windows.map(({ host, flows, attack }, index) =>
          window(
            index / 4,
            attack,
            times(10, (flow) => {
              const address = host + (flow % flows) * 65_537;
              return { srcIp: `${20 + (address & 63)}.${(address >> 6) & 255}.${(address >> 14) & 255}.9` };
            }),
          ),
        ),
      );
      const blocked = gateway.words.filter((text) => text.startsWith('block'));
      expect(blocked.length).toBeLessThanOrEqual(maxUnprovenSources);
      expect(gateway.words.filter((text) => text.startsWith('rate_limit')).length).toBeLessThanOrEqual(2);
    }),
    { numRuns: 100 },
  );
});

test('no device is cut for what a router brought in its name, under any rule; the target of a flood is protected', () => {
  const flood = (at: number, isRelayed: boolean | undefined): JudgedWindow =>
    window(
      at,
      'ddos_flood',
      times(10, () => ({
        srcIp: '192.168.1.30',
        direction: 'internal',
        bwdPackets: 0,
        ...(isRelayed === undefined ? {} : { isRelayed }),
      })),
    );
  const asSent = (at: number, isRelayed: boolean | undefined): JudgedWindow => ({
    ...flood(at, isRelayed),
    device: { address: '192.168.1.30', mac: '02:00:00:00:00:30' },
  });
  const words = (rules: readonly Rule[], isRelayed: boolean | undefined): readonly string[] => {
    const gateway = new Gateway(rules);
    gateway.see(...times(20, (at) => flood(at * 40, isRelayed)), ...times(20, (at) => asSent(at * 40, isRelayed)));
    return [...new Set(gateway.words)];
  };
  expect(words(defaultRules, true)).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
  for (const isRelayed of [false, undefined])
    expect(words(defaultRules, isRelayed).join()).toContain('quarantine device 192.168.1.30');
  for (const action of RuleAction.options)
    for (const ladder of [[], ...DeviceStep.options.map((step) => [step])])
      for (const word of words([rule({ action, device_ladder: ladder })], true))
        expect(word).not.toMatch(/192\.168\.1\.30|02:00:00:00:00:30/);
});

test('windows that a router filled in the name of a device do not count towards cutting it off', () => {
  const sent = (at: number, isRelayed: boolean): JudgedWindow =>
    window(
      at,
      'port_scan',
      times(10, (host) => ({ srcIp: camera, dstIp: `198.51.100.${host}`, direction: 'outbound', isRelayed })),
    );
  const gateway = new Gateway([rule({ action: 'quarantine', min_windows: 2, of_windows: 3 })]);
  gateway.see(sent(0, true), sent(1, true), sent(2, false));
  expect(gateway.words, 'one window of its own is not two').toEqual([]);
  gateway.see(sent(70, false));
  expect(gateway.words).toEqual([`quarantine device ${camera}`]);
});

test('behind its own address the gateway sends everything itself: the other end is cut as ever', () => {
  const own = '192.168.1.1';
  const gateway = new Gateway([rule()], { ownAddresses: () => new Set([own]) });
  const beacons = (at: number): JudgedWindow =>
    window(
      at,
      'botnet_beacon',
      times(5, () => ({ srcIp: own, dstIp: '198.51.100.66', direction: 'outbound' as const, isRelayed: true })),
      own,
    );
  gateway.see(beacons(0), beacons(1));
  expect(gateway.words).toEqual(['block ip 198.51.100.66']);
});

// --- what is plain, beside what the network says ---

/** Eight forged knocks on tcp/80, in the second `at`, before whatever else the device sees. */
const besideKnocks = (
  at: number,
  others: readonly Partial<JudgedFlow>[],
  {
    attack = 'other_attack',
    score = 0.01,
    knocks = {},
  }: { attack?: AttackClass; score?: number; knocks?: object } = {},
): JudgedWindow => {
  const startedAtUs = startUs + at * 1e6;
  const forged = times(8, (index) => ({
    srcIp: `198.${at + 18}.${index}.7`,
    startedAtUs: startedAtUs + index * 2000,
    ...halfOpen,
    ...knocks,
  }));
  const flows = [...forged, ...others.map((flow) => ({ startedAtUs, ...flow }))];
  return { ...window(at, attack, flows), score };
};

test('forged knocks have nobody blocked or quarantined, whatever else the device sees meanwhile', () => {
  const log = { srcIp: '192.168.1.77', dstPort: 514, protocol: 17, fwdPackets: 3, bwdPackets: 0, fwdBytes: 300 };
  const logs = times(2, (): Partial<JudgedFlow> => ({ ...log, direction: 'internal' }));
  const repeated = { bwdPackets: 3, synPackets: 4, ackPackets: 3 };
  const flowImportance = [0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.5]; // the network leans on the logs
  const logged = new Gateway(defaultRules);
  logged.see(...times(4, (at) => ({ ...besideKnocks(at, logs, { knocks: repeated }), flowImportance })));
  expect(logged.words).toEqual([`rate_limit ip+port ${camera} tcp/80`]);

  const sketch = fc.record({ flow: anyFlow, isOurs: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(fc.array(sketch, { minLength: 2, maxLength: 2 }), { minLength: 6, maxLength: 12 }),
      fc.constantFrom<AttackClass>('ddos_flood', 'port_scan', 'botnet_beacon'),
      (windows, attack) => {
        const gateway = new Gateway([...defaultRules, rule()]);
        windows.forEach((sketches, at) => {
          const others = sketches.map(({ flow: { outside, inside, flow }, isOurs }): Partial<JudgedFlow> => {
            const peer = (flow.direction === 'internal' ? inside : outside).v4;
            return isOurs ? { ...flow, srcIp: camera, dstIp: peer } : { ...flow, srcIp: peer };
          });
          gateway.see(besideKnocks(at, others, { attack, knocks: repeated }));
        });
        expect([...new Set(gateway.words)]).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
      },
    ),
    { numRuns: 100 },
  );
});

test('one burst is no proof, however sure the network is: its retries are the same knocks, and a second one is another witness', () => {
  const gateway = new Gateway(defaultRules);
  const sure = { attack: 'ddos_flood', score: 0.99 } as const;
  const again = (at: number, burstAt: number): JudgedWindow => ({
    ...besideKnocks(burstAt, [], { ...sure, knocks: { bwdPackets: at + 1, synPackets: at + 2, ackPackets: at + 1 } }),
    atUs: startUs + at * 1e6,
  });
  gateway.see(...times(8, (at) => again(at, 0)));
  expect(gateway.words).toEqual([]);
  gateway.see(again(8, 8), again(9, 8));
  expect(gateway.words, 'long after the first').toEqual([]);
  gateway.see(again(10, 10));
  expect(gateway.words).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
});

test('a restriction that had to be forgotten for another one is counted', () => {
  const gateway = new Gateway(defaultRules, { capacity: 1 });
  gateway.see(besideKnocks(0, []), besideKnocks(1, []));
  expect(gateway.prevention.evicted).toBe(0);
  gateway.see(...[40, 41].map((at) => besideKnocks(at, [], { knocks: { dstPort: 81 } })));
  expect(gateway.words).toEqual([80, 81].map((port) => `rate_limit ip+port ${camera} tcp/${port}`));
  expect(gateway.prevention.evicted).toBe(1);
});

test('a clock that was set back an hour does not make old knocks of new ones', () => {
  const gateway = new Gateway(defaultRules);
  gateway.see(besideKnocks(200, []));
  const before = (at: number): JudgedWindow => {
    const seen = besideKnocks(at, []);
    return {
      ...seen,
      atUs: seen.atUs - 3600e6,
      flows: seen.flows.map((flow) => ({ ...flow, startedAtUs: flow.startedAtUs - 3600e6 })),
    };
  };
  gateway.see(before(1), before(2));
  expect(gateway.words).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
});

test('forged knocks do not hide an attack that the network sees from its own rule', () => {
  const guess = { ...talk, srcIp: '203.0.113.9', dstPort: 22, fwdPackets: 12, bwdPackets: 12 };
  const gateway = new Gateway(defaultRules);
  gateway.see(...times(4, (at) => besideKnocks(at, [guess, guess], { attack: 'brute_force_ssh', score: 0.99 })));
  expect(gateway.words.toSorted()).toEqual(['block ip 203.0.113.9', `rate_limit ip+port ${camera} tcp/80`]);
});

// --- which rule acts ---

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

const [forger, neighbour] = ['02:00:00:00:00:66', '02:00:00:00:00:30'] as const;
/** `sent`: the MACs of its five flows; `mac`: who spoke last by then. */
const beaconOf = (at: number, mac: string | null, sent: readonly (string | null)[]): JudgedWindow => {
  const flow = { srcIp: camera, dstIp: '198.51.100.66', direction: 'outbound' as const };
  return {
    ...window(
      at,
      'botnet_beacon',
      sent.map((srcMac) => ({ ...flow, srcMac })),
    ),
    device: { address: camera, mac },
  };
};

test('whoever attacks in the name of a neighbour is quarantined for it, though the neighbour spoke last', () => {
  const gateway = new Gateway([rule({ device_ladder: ['quarantine'] })]);
  const windows = [0, 1].map((at) => beaconOf(at, neighbour, Array(5).fill(forger)));
  gateway.see(...windows);
  expect(gateway.words).toEqual([`quarantine device ${forger}`]);
});

test('what two sent under one address proves nothing against either; what is not known does not count', () => {
  const rules = [rule({ device_ladder: ['quarantine'] })];
  const gateway = new Gateway(rules);
  const both = [neighbour, forger, forger, forger, forger];
  gateway.see(beaconOf(0, neighbour, both), beaconOf(1, forger, both), beaconOf(2, neighbour, both));
  expect(gateway.words).toEqual([]);
  gateway.see(...[10, 11].map((at) => beaconOf(at, neighbour, [null, null, neighbour, null, neighbour])));
  expect(gateway.words).toEqual([`quarantine device ${neighbour}`]);
  const behindRouter = new Gateway(rules);
  behindRouter.see(...[0, 1].map((at) => beaconOf(at, null, Array(5).fill(forger))));
  expect(behindRouter.words, 'nobody is held by the MAC of a router').toEqual([`quarantine device ${camera}`]);
});

test('a neighbour that two speak for is not cut for what a device says of it', () => {
  const attacked = '192.168.1.99';
  const flows = (macs: readonly string[]): readonly Partial<JudgedFlow>[] =>
    macs.map((srcMac, index) => ({ ...talk, srcIp: camera, dstPort: index, direction: 'internal' as const, srcMac }));
  const scanned = (at: number, macs: readonly string[]): JudgedWindow =>
    window(
      at,
      'port_scan',
      flows(macs).map((flow) => ({ ...flow, fwdPackets: 1, bwdPackets: 1, fwdBytes: 0, bwdBytes: 0 })),
      attacked,
    );
  const own = beaconOf(0, neighbour, [neighbour]);
  const gateway = new Gateway([rule({ classes: ['port_scan'], device_ladder: ['quarantine'] })]);
  const mixed = [neighbour, forger, forger, forger, forger];
  gateway.see(own, scanned(1, mixed), scanned(2, mixed));
  expect(gateway.words).toEqual([]);
  gateway.see(scanned(10, Array(5).fill(forger)), scanned(11, Array(5).fill(forger)));
  expect(gateway.words).toEqual([`quarantine device ${forger}`]);
});

test('a device goes on up its ladder under another address, and who gets its old one begins at the bottom', () => {
  const gateway = new Gateway([rule({ device_ladder: ['rate_limit', 'quarantine'], cooldown_seconds: 10 })]);
  const attack = (at: number, address: string, mac: string): readonly Measure[] =>
    gateway.see(
      ...[at, at + 1].map((second) => ({
        ...window(
          second,
          'botnet_beacon',
          times(5, () => ({ srcIp: address, dstIp: '198.51.100.66', direction: 'outbound' as const, srcMac: mac })),
          address,
        ),
        device: { address, mac },
      })),
    );
  attack(0, camera, forger);
  attack(20, '192.168.1.99', forger);
  attack(40, camera, neighbour);
  expect(gateway.words).toEqual([
    `rate_limit device ${forger}`,
    `quarantine device ${forger}`,
    `rate_limit device ${neighbour}`,
  ]);
});
