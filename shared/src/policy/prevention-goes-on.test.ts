/** A device that is cut from one stranger and goes on with the next while the rule rests. */
import { expect, test } from 'vitest';
import { logIn, oneAfterTheOther, refused } from '../testing/counted-flows.ts';
import { heldDecision } from '../testing/held-decision.ts';
import { camera } from '../testing/judged-flows.ts';
import { passingWindows } from '../testing/passing-windows.ts';
import { beacon, Gateway, rule, scan, times, window } from '../testing/prevention-gateway.ts';
import { defaultRules } from './default-rules.ts';
import type { JudgedFlow, JudgedWindow } from './judged-window.ts';

const stranger = (index: number): string => `198.51.100.${index + 66}`;
const cut = (index: number): string => `block pair ${stranger(index)} ${camera}`;
const quarantine = `quarantine device ${camera}`;
/** Two of three windows; it rests for a minute and holds for ten. */
const cutFirst = rule({ device_ladder: ['cut_destination', 'quarantine'] });
/** The two windows that prove it, from `at` seconds on. */
const twice = (at: number, index: number): JudgedWindow[] => [0, 1].map((more) => beacon(at + more, stranger(index)));

test.each(['botnet_beacon', 'data_exfiltration'] as const)(
  'by the default rules a device that goes on with %s is cut from the second stranger at once, and shut in with the third',
  (attack) => {
    const gateway = new Gateway(defaultRules);
    const upload = { protocol: 6, fwdPackets: 250, bwdPackets: 120, fwdBytes: 300_000, bwdBytes: 0 };
    const to = (at: number, index: number): JudgedWindow =>
      window(
        at,
        attack,
        times(8, () => ({ ...upload, srcIp: camera, dstIp: stranger(index), direction: 'outbound' as const })),
      );
    const needed = attack === 'botnet_beacon' ? 4 : 3;
    gateway.see(...times(needed, (at) => to(at, 0)));
    expect(gateway.words).toEqual([cut(0)]);
    gateway.see(...times(needed - 1, (at) => to(10 + at, 1)));
    expect(gateway.words, 'too little was seen of the second').toHaveLength(1);
    gateway.see(to(20, 1));
    expect(gateway.words.slice(1)).toEqual([cut(1)]);
    expect(gateway.taken[1]).toMatchObject({ step: 'cut_destination', times: 1, durationSeconds: 4 * 3600 });
    gateway.see(...times(20, (at) => to(30 + at, 1)));
    expect(gateway.words, 'what is dropped is no new offence').toHaveLength(2);
    gateway.see(...times(needed, (at) => to(400 + at, 2)));
    expect(gateway.words.slice(2)).toEqual([quarantine]);
  },
);

test('each destination is cut on windows of its own, later than those of the one before', () => {
  const gateway = new Gateway([cutFirst]);
  gateway.see(beacon(0, stranger(1)), beacon(1, stranger(0)));
  expect(gateway.words).toEqual([cut(0)]);
  gateway.see(beacon(2, stranger(1)), beacon(3, stranger(0)), beacon(4, stranger(2)));
  expect(gateway.words, 'one window each, beside those of what is cut').toHaveLength(1);
  gateway.see(beacon(5, stranger(2)));
  expect(gateway.words.slice(1)).toEqual([cut(2)]);
  gateway.see(beacon(6, stranger(1)), beacon(7, stranger(3)), beacon(8, stranger(1)));
  expect(gateway.words.slice(2)).toEqual([cut(1)]);
});

test('four are cut at most, and the next step comes no sooner for it, and on new windows only', () => {
  const gateway = new Gateway([cutFirst]);
  gateway.see(...times(6, (index) => twice(index * 5, index)).flat());
  expect(gateway.words).toEqual(times(4, cut));
  gateway.see(...times(10, (index) => beacon(50 + index, stranger(5))));
  expect(gateway.words, 'the rule rests').toHaveLength(4);
  gateway.see(beacon(61, stranger(5)));
  expect(gateway.words.slice(4)).toEqual([quarantine]);

  const late = new Gateway([cutFirst]);
  late.see(...twice(0, 0), ...twice(59, 1));
  expect(late.words).toEqual([cut(0), cut(1)]);
  late.see(beacon(62, stranger(2)));
  expect(late.words, 'of the windows of the second no more is made').toHaveLength(2);
  late.see(beacon(63, stranger(2)));
  expect(late.words.slice(2)).toEqual([quarantine]);
});

test('a ladder that ends with a cut goes on cutting, four at a time', () => {
  const gateway = new Gateway([rule({ device_ladder: ['cut_destination'] })]);
  gateway.see(...times(6, (index) => twice(index * 90, index)).flat());
  expect(gateway.words).toEqual(times(4, cut));
  gateway.see(...twice(700, 6));
  expect(gateway.words.slice(4), 'the first two have ended').toEqual([cut(6)]);
});

test.each([['observe'], ['rate_limit'], ['no_wan']] as const)(
  'the step %s rests, whomever the device turns to',
  (step) => {
    const gateway = new Gateway([rule({ device_ladder: [step, 'cut_destination'] })]);
    gateway.see(...twice(0, 0));
    const inside = [10, 11].map((at) => beacon(at, '192.168.1.50'));
    const seen = gateway.taken.length;
    gateway.see(...twice(5, 1), ...inside.map((one) => asInside(one)));
    expect(gateway.taken).toHaveLength(seen);
  },
);

const asInside = (one: JudgedWindow): JudgedWindow => ({
  ...one,
  flows: one.flows.map((flow) => ({ ...flow, direction: 'internal' })),
});

test('the step lasts until the last that it was aimed at has ended', () => {
  const gateway = new Gateway([cutFirst]);
  gateway.see(...twice(0, 0), ...twice(50, 1));
  gateway.see(...twice(640, 1));
  expect(gateway.words, 'it is dropped still').toEqual([cut(0), cut(1)]);
  gateway.see(...twice(645, 0));
  expect(gateway.words.slice(2), 'the first has ended, and it goes on').toEqual([quarantine]);
});

test('what was refused was not cut: it is asked for again, on the next window', () => {
  const gateway = new Gateway([cutFirst]);
  gateway.see(...twice(0, 0), ...twice(50, 1));
  gateway.prevention.forget(gateway.taken[1]!.restriction);
  gateway.see(beacon(52, stranger(1)));
  expect(gateway.words.slice(2)).toEqual([cut(1)]);
});

test('what a router brought in the name of the device points to no destination of it', () => {
  const gateway = new Gateway([cutFirst]);
  const brought = (one: JudgedWindow): JudgedWindow => ({
    ...one,
    flows: one.flows.map((flow) => ({ ...flow, isRelayed: true })),
  });
  gateway.see(...twice(0, 0));
  gateway.see(brought(beacon(10, stranger(1))), beacon(11, stranger(1)));
  expect(gateway.words, 'one of the two is its own').toEqual([cut(0)]);
  gateway.see(beacon(12, stranger(1)));
  expect(gateway.words.slice(1)).toEqual([cut(1)]);
});

test('an outside host of IPv6 is its /64: ever new addresses of it use up what is cut, and the device is shut in', () => {
  const gateway = new Gateway([cutFirst]);
  gateway.see(...times(20, (at) => beacon(at, `2001:db8:1:2::${at + 1}`)));
  expect(gateway.words.map((words) => words.split(' ')[2]?.slice(0, 14))).toEqual(times(4, () => '2001:db8:1:2::'));
  gateway.see(...times(3, (at) => beacon(70 + at, `2001:db8:1:2::9:${at}`)));
  expect(gateway.words.slice(4)).toEqual([quarantine]);
});

test('a device that goes on to the next neighbour is kept from that one too, by the windows of whom it attacks', () => {
  const gateway = new Gateway([cutFirst]);
  const by = '192.168.1.50';
  const attacked = (at: number, address: string, srcIp = by): JudgedWindow => ({
    ...scan(at, srcIp, { direction: 'internal', dstIp: address }),
    device: { address, mac: null },
  });
  gateway.see(attacked(0, camera), attacked(1, camera));
  gateway.see(attacked(2, '192.168.1.21', '192.168.1.60'), attacked(3, '192.168.1.21'));
  expect(gateway.words, 'one of these windows is about another').toEqual([`block pair ${camera} ${by}`]);
  gateway.see(attacked(4, '192.168.1.21'));
  expect(gateway.words.slice(1)).toEqual([`block pair 192.168.1.21 ${by}`]);
});

test('what is counted is counted for each destination by itself', () => {
  const counting = rule({ ...cutFirst, cooldown_seconds: 600, duration_seconds: 3600 });
  const out = { srcIp: camera, direction: 'outbound' as const };
  const scanned = new Gateway([counting]);
  const scanOf = (index: number, count: number, from: number): readonly Partial<JudgedFlow>[] =>
    later(
      oneAfterTheOther(count, 0.1, (port) => ({ ...refused, ...out, dstIp: stranger(index), dstPort: port + 1 })),
      from,
    );
  scanned.see(...passingWindows(scanOf(0, 40, 0)));
  expect(scanned.words).toEqual([cut(0)]);
  scanned.see(...passingWindows([...scanOf(0, 10, 20), ...scanOf(1, 25, 21)]));
  expect(scanned.words, 'thirty since, and 25 of them at the second').toHaveLength(1);
  scanned.see(...passingWindows(scanOf(1, 35, 21)));
  expect(scanned.words.slice(1)).toEqual([cut(1)]);

  const guessed = new Gateway([counting]);
  for (const index of [0, 1]) {
    const logIns = oneAfterTheOther(30, 1, () => ({ ...logIn, ...out, dstPort: 21, dstIp: stranger(index) }));
    guessed.see(...passingWindows(later(logIns, index * 40)));
  }
  expect(guessed.words).toEqual([cut(0), cut(1)]);
});

const later = (flows: readonly Partial<JudgedFlow>[], seconds: number): readonly Partial<JudgedFlow>[] =>
  flows.map((flow) => ({
    ...flow,
    startedAtUs: flow.startedAtUs! + seconds * 1e6,
    lastPacketAtUs: flow.lastPacketAtUs! + seconds * 1e6,
  }));

test('a restart forgets neither what is cut nor how many there are', () => {
  const first = new Gateway([cutFirst]);
  first.see(...times(3, (index) => twice(index * 5, index)).flat());
  const records = first.taken.flatMap(({ restriction }) => first.prevention.recordOf(restriction) ?? []);
  const held = first.taken.map(({ restriction, rule: { id } }, index) => ({
    ...heldDecision(),
    ...restriction,
    rule_id: id,
    created_at: new Date(records[index]!.sinceUs / 1000).toISOString(),
    expires_at: new Date(records[index]!.untilUs / 1000).toISOString(),
  }));
  const second = new Gateway([cutFirst]);
  second.prevention.restore(held, records, []);
  second.see(...twice(20, 0), ...twice(25, 3), ...twice(30, 4));
  expect(second.words, 'the fourth, and no fifth').toEqual([cut(3)]);
  second.see(...twice(90, 4));
  expect(second.words.slice(1)).toEqual([quarantine]);
});
