/** On one link anybody can speak in the name of another. */
import { expect, test } from 'vitest';
import type { Rule } from '../contract/rule.ts';
import { camera, startUs } from '../testing/judged-flows.ts';
import { Gateway, rule, talk, times, window } from '../testing/prevention-gateway.ts';
import type { JudgedFlow, JudgedWindow } from './judged-window.ts';

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

const both = [neighbour, forger, forger, forger, forger];
const pair = `pair 198.51.100.66 ${camera}`;

test('what two sent under one address is held against neither; what is not known does not count', () => {
  const rules = [rule({ device_ladder: ['quarantine'] })];
  const gateway = new Gateway(rules);
  gateway.see(beaconOf(0, neighbour, both), beaconOf(1, forger, both), beaconOf(2, neighbour, both));
  expect(gateway.words).toEqual([`block ${pair}`]);
  gateway.see(...[10, 11].map((at) => beaconOf(at, neighbour, [null, null, neighbour, null, neighbour])));
  expect(gateway.words.slice(1)).toEqual([`quarantine device ${neighbour}`]);
  const behindRouter = new Gateway(rules);
  behindRouter.see(...[0, 1].map((at) => beaconOf(at, null, Array(5).fill(forger))));
  expect(behindRouter.words, 'nobody is held by the MAC of a router').toEqual([`quarantine device ${camera}`]);
});

test('a device that goes on under changing MACs is cut from its server each time, as long as the first, and from nothing else', () => {
  const escalation = { factor: 4, max_duration_seconds: 9000, forget_after_seconds: 9000 };
  const gateway = new Gateway([rule({ escalation, device_ladder: ['cut_destination', 'quarantine'] })]);
  gateway.see(...times(100, (index) => beaconOf(index * 10, index % 2 === 0 ? neighbour : forger, both)));
  expect(gateway.words).toEqual([`block ${pair}`, `block ${pair}`]);
  expect(gateway.taken).toMatchObject(times(2, () => ({ durationSeconds: 600, times: 1, step: null })));

  const words = (changes: Partial<Rule>, see = beaconOf): readonly string[] => {
    const one = new Gateway([rule(changes)]);
    one.see(...times(20, (at) => see(at * 20, neighbour, both)));
    return one.words;
  };
  expect(words({ action: 'quarantine' })).toEqual([`block ${pair}`]);
  expect(words({ action: 'rate_limit' })).toEqual([`rate_limit ${pair}`]);
  expect(words({ device_ladder: ['rate_limit', 'quarantine'] }), 'as gently as it begins').toEqual([
    `rate_limit ${pair}`,
  ]);
  expect(words({ device_ladder: ['observe', 'quarantine'] })).toEqual([]);
  const changed = (change: Partial<JudgedFlow>): typeof beaconOf => {
    return (...given) => {
      const seen = beaconOf(...given);
      return { ...seen, flows: seen.flows.map((flow) => ({ ...flow, ...change })) };
    };
  };
  expect(words({}, changed({ isRelayed: true })), 'anybody beyond the router may have sent it').toEqual([]);
  expect(words({}, changed({ dstIp: '192.168.1.40', direction: 'internal' })), 'a neighbour').toEqual([]);
});

test('nobody can have a neighbour cut from its cloud by speaking in its name', () => {
  const cloud = { srcIp: camera, dstIp: '198.51.100.66', direction: 'outbound' as const };
  const seenBefore = (more: Partial<JudgedFlow>, change: Partial<JudgedWindow> = {}): JudgedWindow => ({
    ...window(0, 'other_attack', [{ ...cloud, ...talk, srcMac: neighbour, ...more }]),
    score: 0.01,
    ...change,
  });
  const forged = (at: number, ...spoken: readonly Partial<JudgedFlow>[]): JudgedWindow => {
    const blind = times(4, () => ({ ...cloud, srcMac: forger }));
    return window(at, 'botnet_beacon', [...blind, ...spoken.map((flow) => ({ ...cloud, ...flow }))]);
  };
  const ours = { ...talk, srcMac: neighbour };
  const words = (...windows: readonly JudgedWindow[]): readonly string[] => {
    const gateway = new Gateway([rule()]);
    gateway.see(...windows);
    return gateway.words;
  };
  const day = 24 * 3600;
  expect(words(seenBefore({}), forged(day, ours), forged(day + 1, ours))).toEqual([]);
  expect(words(seenBefore({ protocol: 17, bwdBytes: 0 }), forged(day, ours), forged(day + 1, ours))).toEqual([]);
  for (const [why, before] of Object.entries({
    'it is not answered': seenBefore({ bwdBytes: 0 }),
    'it is another host': seenBefore({ dstIp: '198.51.100.67' }),
    'it is another device': {
      ...seenBefore({ srcIp: '192.168.1.21' }),
      device: { address: '192.168.1.21', mac: null },
    },
    'the network took it for an attack': seenBefore({}, { score: 0.97, countsAsEvidence: false }),
    'two spoke for it then as well': seenBefore({}, { flows: forged(0, ours).flows }),
    'it is days ago': seenBefore({}, { atUs: startUs - 3 * day * 1e6 }),
  }))
    expect(words(before, forged(day, ours), forged(day + 1, ours)), why).toEqual([`block ${pair}`]);
  const conversing = { ...talk, srcMac: forger };
  expect(
    words(seenBefore({}), forged(day, ours, conversing), forged(day + 1, ours, conversing)),
    'no forger is answered: it is the device itself',
  ).toEqual([`block ${pair}`]);
});

test('a forger’s windows and one false alarm of the neighbour prove nothing against the neighbour, nor against its address', () => {
  const rules = [rule({ device_ladder: ['quarantine'] })];
  const from = (at: number, mac: string | null): JudgedWindow => beaconOf(at, mac, Array(5).fill(mac));
  const seen = (...macs: readonly (string | null)[]): readonly string[] => {
    const gateway = new Gateway(rules);
    gateway.see(...macs.map((mac, at) => from(at, mac)));
    return gateway.words;
  };
  expect(seen(forger, neighbour), 'one conversation, and nobody is blamed').toEqual([`block ${pair}`]);
  expect(seen(neighbour, forger)).toEqual([`block ${pair}`]);
  const known = new Gateway(rules);
  known.see({ ...window(0, 'other_attack', [{ ...from(0, neighbour).flows[0], ...talk }]), score: 0.01 });
  known.see(from(1, forger), from(2, neighbour));
  expect(known.words, 'its server').toEqual([]);
  expect(seen(neighbour, neighbour), 'a MAC that stays').toEqual([`quarantine device ${neighbour}`]);
  expect(seen(null, neighbour), 'what is not known does not count').toEqual([`quarantine device ${neighbour}`]);

  const gateway = new Gateway(rules);
  const [first] = gateway.see(from(0, forger), from(1, neighbour));
  expect(first).toMatchObject({ isContested: true, step: null });
  gateway.see(from(2, neighbour));
  expect(gateway.words.slice(1), 'two of three are its own').toEqual([`quarantine device ${neighbour}`]);
});

test('a neighbour is not quarantined for what a forger did to a device in its name before', () => {
  const attacked = '192.168.1.99';
  const scanned = (at: number, srcMac: string): JudgedWindow =>
    window(
      at,
      'port_scan',
      times(5, (dstPort) => ({ srcIp: camera, direction: 'internal' as const, srcMac, dstPort: dstPort + 1 })),
      attacked,
    );
  const gateway = new Gateway([rule({ classes: ['port_scan'], device_ladder: ['quarantine'] })]);
  gateway.see(beaconOf(0, neighbour, [neighbour]), scanned(1, forger), scanned(2, neighbour));
  expect(gateway.words).toEqual([]);
  gateway.see(scanned(3, neighbour));
  expect(gateway.words).toEqual([`quarantine device ${neighbour}`]);
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
  gateway.see(own, scanned(1, both), scanned(2, both));
  expect(gateway.words).toEqual([]);
  gateway.see(scanned(10, Array(5).fill(forger)), scanned(11, Array(5).fill(forger)));
  expect(gateway.words).toEqual([`quarantine device ${forger}`]);
});
