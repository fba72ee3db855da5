/** Devices that go on, and offenders that come back. */
import { expect, test } from 'vitest';
import type { DeviceStep } from '../contract/rule.ts';
import { camera } from '../testing/judged-flows.ts';
import { beacon, Gateway, rule, scan, times, window } from '../testing/prevention-gateway.ts';
import { defaultRules } from './default-rules.ts';
import type { JudgedWindow } from './judged-window.ts';
import type { Measure } from './measures.ts';

test('a beacon is cut from its server; what is only dropped since is no new offence; another server after a rest means quarantine', () => {
  const gateway = new Gateway(defaultRules);
  gateway.see(...times(20, (at) => beacon(at * 10)));
  expect(gateway.words).toEqual([`block pair 198.51.100.66 ${camera}`]);
  gateway.see(...times(3, (at) => beacon(210 + at * 10, '198.51.100.77')));
  expect(gateway.words, 'of the other too little was seen').toHaveLength(1);
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

test('an offender of before a clock was set back by years is a stranger', () => {
  const escalation = { factor: 4, max_duration_seconds: 9000, forget_after_seconds: 3600 };
  const gateway = new Gateway([rule({ escalation })]);
  const years = 3e8;
  expect(gateway.see(scan(years), scan(years + 1))[0]).toMatchObject({ durationSeconds: 600, times: 1 });
  expect(gateway.see(scan(years + 700), scan(years + 701))[0]).toMatchObject({ durationSeconds: 2400, times: 2 });
  expect(gateway.see(scan(0), scan(1))[0]).toMatchObject({ durationSeconds: 600, times: 1 });
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

test('a device goes on up its ladder under another address, and who gets its old one begins at the bottom', () => {
  const [ours, another] = ['02:00:00:00:00:66', '02:00:00:00:00:30'];
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
  attack(0, camera, ours);
  attack(20, '192.168.1.99', ours);
  attack(40, camera, another);
  expect(gateway.words).toEqual([
    `rate_limit device ${ours}`,
    `quarantine device ${ours}`,
    `rate_limit pair 198.51.100.66 ${camera}`, // one window of each: nobody is blamed yet
    `rate_limit device ${another}`,
  ]);
});
