/** Devices of the LAN that are counted: from whom they are cut, and for what somebody else did they are not. */
import { expect, test } from 'vitest';
import { byCamera, later, neighbour, saw, scan, type Flows } from '../testing/counted-attacks.ts';
import { logIn, oneAfterTheOther, refused } from '../testing/counted-flows.ts';
import { camera } from '../testing/judged-flows.ts';
import { passingWindows } from '../testing/passing-windows.ts';
import { Gateway, rule, talk } from '../testing/prevention-gateway.ts';
import { defaultRules } from './default-rules.ts';
import type { JudgedWindow } from './judged-window.ts';

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

const refusedBytes = { fwdPackets: 1, bwdPackets: 1, fwdBytes: 0, bwdBytes: 0 };

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
