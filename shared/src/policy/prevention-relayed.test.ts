/** What a router brought in the name of a device is not held against it. */
import { expect, test } from 'vitest';
import { DeviceStep, type Rule, RuleAction } from '../contract/rule.ts';
import { camera } from '../testing/judged-flows.ts';
import { Gateway, rule, scan, talk, times, window } from '../testing/prevention-gateway.ts';
import { defaultRules } from './default-rules.ts';
import type { JudgedWindow } from './judged-window.ts';

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
