/** Who an outside address stands for, and what its owner may not have sent at all. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { camera } from '../testing/judged-flows.ts';
import { Gateway, rule, scan, talk, times, window } from '../testing/prevention-gateway.ts';
import { maxUnprovenSources } from './crowd.ts';
import type { AttackClass, JudgedFlow, JudgedWindow } from './judged-window.ts';

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
