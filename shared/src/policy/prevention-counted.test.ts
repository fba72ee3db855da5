/** What many flows of one host prove together, beside what the network says of each window. */
import { expect, test } from 'vitest';
import { logIn, oneAfterTheOther, refused } from '../testing/counted-flows.ts';
import { camera, startUs } from '../testing/judged-flows.ts';
import { passingWindows } from '../testing/passing-windows.ts';
import { Gateway, rule, talk, times } from '../testing/prevention-gateway.ts';
import { defaultRules } from './default-rules.ts';
import type { JudgedFlow, JudgedWindow } from './judged-window.ts';

const attacker = '203.0.113.9';
const neighbour = '192.168.1.30';
const refusedBytes = { fwdPackets: 1, bwdPackets: 1, fwdBytes: 0, bwdBytes: 0 };

type Flows = readonly Partial<JudgedFlow>[];
const scan = (more: Partial<JudgedFlow> = {}, count = 40): Flows =>
  oneAfterTheOther(count, 0.1, (port) => ({ ...refused, dstPort: port + 1, ...more }));
const guesses = (dstPort: number, more: Partial<JudgedFlow> = {}): Flows =>
  oneAfterTheOther(40, 1, () => ({ ...logIn, dstPort, ...more }));
const flood = (srcIp: string): Flows =>
  oneAfterTheOther(120, 0.02, () => ({ fwdPackets: 1, bwdPackets: 0, synPackets: 1, dstPort: 80, srcIp }));
const byCamera = (more: Partial<JudgedFlow> = {}): Flows =>
  scan({ srcIp: camera, dstIp: '198.51.100.7', direction: 'outbound', ...more });
const later = (flows: Flows, seconds: number): Flows =>
  flows.map((flow) => ({
    ...flow,
    startedAtUs: (flow.startedAtUs ?? startUs) + seconds * 1e6,
    lastPacketAtUs: (flow.lastPacketAtUs ?? startUs) + seconds * 1e6,
  }));

function saw(flows: Flows, gateway = new Gateway(defaultRules), device = camera): Gateway {
  gateway.see(...passingWindows(flows, device));
  return gateway;
}

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

test.each([
  ['a scan', 'port_scan', { ...refused }, 0.03, 1, { ...refused, dstPort: 8883 }],
  [
    'a flood',
    'ddos_flood',
    { fwdPackets: 1, bwdPackets: 0, synPackets: 1 },
    0.01,
    0,
    { protocol: 17, bwdPackets: 0, dstPort: 514 },
  ],
  ['guessing', 'other_attack', { ...logIn, dstPort: 23 }, 0.25, 0, { ...talk, dstPort: 443 }],
] as const)(
  '%s of a device has it cut from whom it attacks, not from whom it says more to',
  (_, attack, knock, every, port, busy) => {
    const gateway = new Gateway([rule({ classes: [attack], device_ladder: ['cut_destination'] })]);
    const out = { srcIp: camera, direction: 'outbound' as const };
    const flows = oneAfterTheOther(1300, every, (at) =>
      at % 8 === 7
        ? { dstPort: 80 + at * port, ...knock, ...out, dstIp: '198.51.100.7' }
        : { ...busy, ...out, dstIp: '192.0.2.50' },
    );
    saw(flows, gateway);
    expect(gateway.words).toEqual([`block pair 198.51.100.7 ${camera}`]);
  },
);

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

test('a device that scans climbs the ladder, unless a router brought it or several MACs sent it', () => {
  const mac = '02:00:00:00:00:20';
  const seen = (flows: Flows, changes: Partial<JudgedWindow> = {}): readonly string[] => {
    const gateway = new Gateway(defaultRules);
    gateway.see(...passingWindows(flows).map((one) => ({ ...one, ...changes })));
    return gateway.words;
  };
  expect(seen(byCamera({ srcMac: mac }), { device: { address: camera, mac } })).toEqual([`quarantine device ${mac}`]);
  const telnet = oneAfterTheOther(40, 0.1, (host) => ({
    ...refused,
    srcIp: camera,
    dstIp: `198.51.100.${host + 1}`,
    direction: 'outbound' as const,
    dstPort: 23,
  }));
  expect(seen(telnet)).toEqual([`quarantine device ${camera}`]);
  expect(seen(byCamera({ isRelayed: true }))).toEqual([]);
  const another = {
    ...talk,
    srcIp: camera,
    dstIp: '198.51.100.8',
    direction: 'outbound' as const,
    srcMac: '02:00:00:00:00:66',
  };
  const contested = byCamera({ srcMac: mac }).flatMap((knock) => [{ ...knock, ...another }, knock]);
  expect(seen(contested), 'one conversation, and nobody is blamed').toEqual([`block pair 198.51.100.7 ${camera}`]);
});

test('a sweep that everyday life hides is of many hosts, and not of the one that the newest window shows', () => {
  const out = { srcIp: camera, direction: 'outbound' as const };
  const busy = { ...talk, ...out, dstIp: '192.0.2.50', dstPort: 443 };
  const sweep = (host: (at: number) => string, port: (at: number) => number): Flows =>
    oneAfterTheOther(360, 0.025, (at) =>
      at % 9 === 8 ? { ...refused, ...out, dstIp: host(at), dstPort: port(at) } : busy,
    );
  const offenders = (flows: Flows): readonly string[] => {
    const { prevention } = new Gateway(defaultRules);
    const proofs = passingWindows(flows).flatMap((seen) =>
      prevention.weigh(seen).map(({ proof }) => ({ seen, proof })),
    );
    return [
      ...new Set(proofs.map(({ seen, proof }) => prevention.offenderOf(seen, proof)).map((one) => JSON.stringify(one))),
    ];
  };
  expect(
    offenders(
      sweep(
        (at) => `198.51.100.${at % 250}`,
        () => 23,
      ),
    ),
  ).toEqual([JSON.stringify({ kind: 'device', isInside: false })]);
  expect(
    offenders(
      sweep(
        () => '198.51.100.7',
        (at) => at + 1,
      ),
    ),
  ).toEqual([JSON.stringify({ kind: 'destination', peer: '198.51.100.7', isInside: false })]);
});

test('a device that floods a port which refuses every connection is put into quarantine, a client that is refused is not', () => {
  const tries = (every: number): Flows =>
    oneAfterTheOther(400, every, () => ({ ...refused, srcIp: camera, dstIp: '198.51.100.7', direction: 'outbound' }));
  expect(saw(tries(0.002)).words).toEqual([`quarantine device ${camera}`]);
  expect(saw(tries(0.1)).words, 'ten times a second').toEqual([]);
  const relayed = tries(0.002).map((flow) => ({ ...flow, isRelayed: true }));
  expect(saw(relayed).words, 'whoever is behind the router').toEqual([]);
});

test('what a router brought in the name of a device makes no first-hand count of the few that it sent', () => {
  const relayed = byCamera({ isRelayed: true }).slice(0, 30);
  const own = later(byCamera({ isRelayed: false }), 3)
    .slice(0, 25)
    .map((flow) => ({ ...flow, dstPort: (flow.dstPort ?? 0) + 100 }));
  expect(saw([...relayed, ...own]).words).toEqual([]);
});

test('a device of the LAN that scans another one is found from both sides', () => {
  const inside = { srcIp: neighbour, dstIp: camera, direction: 'internal' as const };
  expect(saw(scan(inside)).words).toEqual([`quarantine device ${neighbour}`]);
  expect(saw(scan(inside), undefined, neighbour).words).toEqual([`quarantine device ${neighbour}`]);
  expect(saw(scan({ ...inside, isRelayed: true })).words, 'whoever is behind the router').toEqual([]);
});

test('a neighbour in whose name somebody scans, and who speaks beside it, is not held for it', () => {
  const [own, forger] = ['02:00:00:00:00:30', '02:00:00:00:00:66'];
  const inside = { srcIp: neighbour, dstIp: camera, direction: 'internal' as const };
  const gateway = new Gateway(defaultRules);
  saw([{ ...talk, ...inside, srcMac: own, dstPort: 443 }], gateway, neighbour);
  const both = later(scan({ ...inside, srcMac: forger }), 1).flatMap((knock) => [
    {
      ...talk,
      ...inside,
      dstPort: 443,
      srcMac: own,
      startedAtUs: knock.startedAtUs!,
      lastPacketAtUs: knock.lastPacketAtUs!,
    },
    knock,
  ]);
  gateway.see(...passingWindows(both).map((seen) => ({ ...seen, device: { address: camera, mac: null } })));
  expect(gateway.words).toEqual([]);
});

test('who scans between two windows is blamed, with the MAC that he sent with, and not who is in the window', () => {
  const [own, forger] = ['02:00:00:00:00:30', '02:00:00:00:00:66'];
  const inside = { srcIp: neighbour, dstIp: camera, direction: 'internal' as const };
  const gateway = new Gateway(defaultRules);
  gateway.see(
    ...passingWindows([{ ...talk, ...inside, srcMac: own, dstPort: 443 }], neighbour).map((seen) => ({
      ...seen,
      device: { address: neighbour, mac: own },
    })),
  );
  const [visit] = passingWindows([{ ...talk, srcIp: '192.168.1.40', direction: 'internal' as const }]);
  const passed = scan({ ...inside, srcMac: forger }).map((flow) => ({ ...visit!.flows[0]!, ...flow, ...refusedBytes }));
  gateway.see({ ...visit!, passed });
  expect(gateway.words).toEqual([`quarantine device ${forger}`]);
});

test('a ladder goes on only on what was counted since', () => {
  const cut = rule({ classes: ['port_scan'], device_ladder: ['rate_limit', 'quarantine'], cooldown_seconds: 0 });
  const gateway = saw(byCamera(), new Gateway([cut]));
  expect(gateway.words, 'the ten after the thirtieth are no second scan').toEqual([`rate_limit device ${camera}`]);
  saw(later(byCamera(), 5), gateway);
  expect(gateway.words).toEqual([`rate_limit device ${camera}`, `quarantine device ${camera}`]);
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
