/** What many flows of one host prove together, beside what the network says of each window. */
import { expect, test } from 'vitest';
import { attacker, flood, guesses, later, neighbour, saw, scan } from '../testing/counted-attacks.ts';
import { oneAfterTheOther, refused } from '../testing/counted-flows.ts';
import { camera, startUs } from '../testing/judged-flows.ts';
import { passingWindows } from '../testing/passing-windows.ts';
import { Gateway, rule, talk, times } from '../testing/prevention-gateway.ts';
import { defaultRules } from './default-rules.ts';
import type { JudgedFlow } from './judged-window.ts';

test('whoever scans, floods or guesses is stopped by the rule of that attack, though the network calls every window benign', () => {
  const scanned = saw(scan());
  expect(scanned.words).toEqual([`block ip ${attacker}`]);
  expect(scanned.taken[0]).toMatchObject({
    rule: { name: 'Stop port scans' },
    proof: {
      attack: 'port_scan',
      sinceUs: startUs,
      counted: { by: attacker, words: `30 ports of ${camera} tried by ${attacker} within 2.9 s, and not a byte said` },
    },
  });
  expect(saw(guesses(21)).words).toEqual([`block ip ${attacker}`]);
  expect(saw(guesses(22)).taken[0]?.rule.name).toBe('Stop password guessing');
  expect(saw(guesses(23)).words, 'of telnet a person is told').toEqual([]);
  expect(saw(flood(attacker)).words).toEqual([`block ip ${attacker}`, `rate_limit ip+port ${camera} tcp/80`]);
});

test('windows in which too little is new for the network are counted all the same', () => {
  const gateway = new Gateway(defaultRules);
  gateway.see(...passingWindows(guesses(21)).map((seen) => ({ ...seen, countsAsEvidence: false })));
  expect(gateway.words).toEqual([`block ip ${attacker}`]);
});

test.each([
  ['is not enabled', rule({ is_enabled: false })],
  ['is for other attacks', rule({ classes: ['ddos_flood'] })],
  ['is for another device', rule({ device: neighbour })],
  ['only tells', rule({ action: 'alert_only' })],
  ['rests at this time', rule({ schedule: { days: ['sun'], from: '00:00', until: '00:00', time_zone: 'UTC' } })],
])('a rule that %s restricts nobody for a count either', (_, tried) => {
  expect(saw(scan(), new Gateway([tried])).words).toEqual([]);
});

test('a rule that asks for many flows is not met by one, however heavy', () => {
  const heavy = { fwdPackets: 2000, bwdPackets: 0, synPackets: 2000, ackPackets: 0, lastPacketAtUs: startUs + 1e6 };
  const words = (minFlows: number): readonly string[] =>
    saw([heavy], new Gateway([rule({ min_flows: minFlows })])).words;
  expect(words(1)[0]).toBe(`block ip ${attacker}`);
  expect(words(2)).toEqual([]);
});

test('an exception holds a count back, a cooldown makes it one, and the mode is the rule’s', () => {
  const spared = rule({ device: camera, classes: ['port_scan'], action: 'alert_only' });
  expect(saw(scan(), new Gateway([...defaultRules, spared])).words).toEqual([]);
  const simulated = saw(
    scan({}, 60),
    new Gateway([rule({ mode: 'simulate', duration_seconds: 10, cooldown_seconds: 60 })]),
  );
  expect(simulated.taken.map(({ rule: { mode } }) => mode)).toEqual(['simulate']);
});

test('who is seen by the network as well is decided on once', () => {
  const gateway = new Gateway(defaultRules);
  gateway.see(...passingWindows(scan()).map((seen) => ({ ...seen, attack: 'port_scan' as const, score: 0.99 })));
  expect(gateway.words).toEqual([`block ip ${attacker}`]);
  expect(gateway.taken[0]?.proof.counted, 'by the network: it was the first').toBeNull();
});

test('of a window that shows others too only who was counted is blamed', () => {
  const stranger = (at: number, index: number): Partial<JudgedFlow> => ({
    ...refused,
    srcIp: `198.${18 + index}.${at}.7`,
    startedAtUs: startUs + at * 1e5,
    lastPacketAtUs: startUs + at * 1e5,
  });
  const mixed = scan().flatMap((knock, at) => [...times(6, (index) => stranger(at, index)), knock]);
  expect(saw(mixed).words).toEqual([`block ip ${attacker}`]);
});

test('what can be forged has nobody blocked whom our devices talk to, nor one source after the other', () => {
  const cloud = { srcIp: camera, dstIp: attacker, direction: 'outbound' as const, dstPort: 443 };
  const known = saw([{ ...talk, ...cloud }]);
  expect(saw(later(scan(), 10), known).words).toEqual([]);
  expect(saw(later(flood(attacker), 20), known).words).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
  expect(saw(later(guesses(22), 60), known).words.at(-1), 'a conversation is no forgery').toBe(`block ip ${attacker}`);

  const forged = new Gateway(defaultRules);
  for (let host = 0; host < 20; host++) saw(later(scan({ srcIp: `203.${host}.113.9` }, 30), host * 2.5), forged);
  expect(forged.words).toHaveLength(8);
});

test('one forged source after the other is one attack by nobody, once they are more than a few', () => {
  const gateway = new Gateway(defaultRules);
  const offenders = times(20, (source) => {
    const flows = later(scan({ srcIp: `198.51.100.${source + 1}` }, 31), source * 2);
    const windows = passingWindows(flows);
    const proven = windows.flatMap((seen) =>
      gateway.prevention
        .weigh(seen)
        .map(({ proof }) => ({ seen, offender: gateway.prevention.offenderOf(seen, proof) })),
    );
    return proven.map(({ offender }) => offender.kind);
  });
  expect(new Set(offenders.slice(0, 8).flat())).toEqual(new Set(['peers']));
  expect(new Set(offenders.slice(8).flat())).toEqual(new Set(['target']));
});

test('behind the gateway’s own address nobody is named', () => {
  const own = '198.51.100.1';
  const outside = new Gateway(defaultRules, { ownAddresses: () => new Set([own]) });
  const telnet = oneAfterTheOther(60, 0.1, (host) => ({
    ...refused,
    srcIp: own,
    dstIp: `203.0.113.${host + 1}`,
    direction: 'outbound' as const,
    dstPort: 23,
  }));
  expect(saw(telnet, outside, own).words).toEqual([]);
  const inside = new Gateway(defaultRules, { ownAddresses: () => new Set([own]) });
  expect(saw(scan({ srcIp: own, direction: 'internal' }), inside).words).toEqual([]);
});

test('counts that had to be forgotten are told', () => {
  const gateway = new Gateway(defaultRules, { capacity: 1 });
  saw(scan({}, 10), gateway, '192.168.1.21');
  const before = gateway.prevention.evicted;
  saw(later(scan({}, 10), 2), gateway, '192.168.1.22');
  expect(gateway.prevention.evicted).toBeGreaterThan(before);
});
