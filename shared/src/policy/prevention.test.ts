/** What rules make of windows: whom they cut, when they rest, and what they never ask for. */
import { expect, test } from 'vitest';
import type { Rule } from '../contract/rule.ts';
import { camera } from '../testing/judged-flows.ts';
import { beacon, Gateway, rule, scan, talk, times, window } from '../testing/prevention-gateway.ts';
import { defaultRules } from './default-rules.ts';
import type { AttackClass, JudgedFlow } from './judged-window.ts';
import type { Measure } from './measures.ts';

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
