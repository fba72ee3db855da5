import { expect, test } from 'vitest';
import { logIn, oneAfterTheOther, refused } from '../testing/counted-flows.ts';
import { camera, startUs } from '../testing/judged-flows.ts';
import { passingWindows } from '../testing/passing-windows.ts';
import { CountedFlows } from './counted-flows.ts';
import type { JudgedFlow, JudgedWindow } from './judged-window.ts';

const scan = (more: (port: number) => Partial<JudgedFlow> = () => ({})): readonly Partial<JudgedFlow>[] =>
  oneAfterTheOther(30, 0.1, (port) => ({ ...refused, dstPort: port + 1, ...more(port) }));

function see(counted: CountedFlows, windows: readonly JudgedWindow[]): number {
  return windows
    .map((seen) => {
      counted.add(seen);
      return counted.reached(seen.device.address).length;
    })
    .reduce((sum, reached) => sum + reached, 0);
}

const shifted = (windows: readonly JudgedWindow[], byUs: number): readonly JudgedWindow[] =>
  windows.map((seen) => ({
    ...seen,
    atUs: seen.atUs + byUs,
    flows: seen.flows.map((flow) => ({
      ...flow,
      startedAtUs: flow.startedAtUs + byUs,
      lastPacketAtUs: flow.lastPacketAtUs + byUs,
    })),
  }));

test('a count is told by the window that adds to it, and by no later one that shows the same', () => {
  const counted = new CountedFlows();
  const windows = passingWindows(scan());
  expect(see(counted, windows)).toBe(1);
  expect(see(counted, shifted(windows.slice(-1), 0))).toBe(0);
  expect(counted.reached(camera)).toEqual([]);
});

test('however many rules ask, a window is counted once', () => {
  const counted = new CountedFlows();
  see(counted, passingWindows(scan()));
  expect(counted.reached(camera)).toHaveLength(1);
  expect(counted.reached(camera)).toBe(counted.reached(camera));
});

test('flows that passed between two windows are counted like those that a window shows', () => {
  const [last] = passingWindows(scan()).slice(-1);
  const passed = scan()
    .slice(0, 20)
    .map((flow) => ({ ...last!.flows[0]!, ...flow }));
  expect(see(new CountedFlows(), [last!])).toBe(0);
  expect(see(new CountedFlows(), [{ ...last!, passed }])).toBe(1);
});

test('what is counted at one device says nothing of another', () => {
  const counted = new CountedFlows();
  const half = scan();
  expect(see(counted, passingWindows(half.slice(0, 15), camera))).toBe(0);
  expect(see(counted, passingWindows(half.slice(15), '192.168.1.21'))).toBe(0);
});

test('what two MACs sent under one address is not added up; outside, the router of the day may change', () => {
  const mac = (port: number): string => `02:00:00:00:00:0${port % 2}`;
  const inside = { srcIp: '192.168.1.30', direction: 'internal' as const };
  expect(see(new CountedFlows(), passingWindows(scan((port) => ({ ...inside, srcMac: mac(port) }))))).toBe(0);
  expect(see(new CountedFlows(), passingWindows(scan(() => ({ ...inside, srcMac: mac(0) }))))).toBe(1);
  expect(see(new CountedFlows(), passingWindows(scan((port) => ({ srcMac: mac(port) }))))).toBe(1);
});

test('what was sent while another MAC spoke under the same address is remembered as such', () => {
  const [own, other] = ['02:00:00:00:00:30', '02:00:00:00:00:66'];
  const inside = { srcIp: '192.168.1.30', direction: 'internal' as const };
  const counted = new CountedFlows();
  for (const seen of passingWindows(scan(() => ({ ...inside, srcMac: own })))) {
    counted.add({ ...seen, flows: [{ ...seen.flows[0]!, srcMac: other, fwdBytes: 900 }, ...seen.flows] });
  }
  const [count] = counted.reached(camera);
  expect(counted.holds(camera, count!, () => true)).toBe(true);
  expect(counted.holds(camera, count!, ({ isContested }) => !isContested)).toBe(false);
});

test('a clock that was set back an hour begins anew, and neither adds up what was before', () => {
  const counted = new CountedFlows();
  see(counted, passingWindows(scan().slice(0, 29)));
  const before = shifted(passingWindows(scan((port) => ({ dstPort: port + 101 }))), -3600e6);
  expect(see(counted, before.slice(0, 3))).toBe(0);
  expect(see(counted, before.slice(3))).toBe(1);
});

test('a clock that was set back a minute costs no more than twice the time in which is counted', () => {
  const counted = new CountedFlows();
  expect(see(counted, passingWindows(scan()))).toBe(1);
  expect(see(counted, shifted(passingWindows(scan()), -60e6))).toBe(1);
  const [before, after] = [passingWindows(scan().slice(0, 20)), passingWindows(scan().slice(20))];
  const another = new CountedFlows();
  expect(see(another, [...before, ...shifted(after, -60e6)]), 'what lies a minute apart is not added up').toBe(0);
});

test('an outside host of IPv6 that takes another address for each knock is one; hosts of IPv4 are not', () => {
  const knocks = (address: (port: number) => string): number =>
    see(new CountedFlows(), passingWindows(scan((port) => ({ srcIp: address(port), dstIp: '2001:db8:1::20' }))));
  expect(knocks((port) => `2001:db8:9:9::${(port + 1).toString(16)}`)).toBe(1);
  expect(knocks((port) => `2001:db8:9:${(port + 1).toString(16)}::1`)).toBe(0);
  expect(knocks((port) => `203.0.113.${port + 1}`)).toBe(0);
});

test('forged sources put out nobody who keeps on, and what had to be forgotten is counted', () => {
  const counted = new CountedFlows();
  const among = oneAfterTheOther(600, 0.015, (at) =>
    at % 20 === 0
      ? { ...refused, dstPort: 1 + at / 20 }
      : { ...refused, srcIp: `198.51.${Math.floor(at / 250)}.${at % 250}`, dstPort: 7 },
  );
  expect(see(counted, passingWindows(among))).toBe(1);
  expect(counted.evicted).toBeGreaterThan(0);
  expect(new CountedFlows().evicted).toBe(0);
});

test('what is held is bounded over all devices, and who keeps on is counted all the same', { timeout: 120_000 }, () => {
  const counted = new CountedFlows();
  const sweep = passingWindows(oneAfterTheOther(60, 0.1, (port) => ({ ...refused, dstPort: port + 1 })));
  for (let host = 0; host < 400; host++) {
    const address = `192.168.${Math.floor(host / 200)}.${1 + (host % 200)}`;
    for (const seen of sweep)
      counted.add({
        ...seen,
        device: { address, mac: null },
        flows: seen.flows.map((flow) => ({ ...flow, dstIp: address })),
      });
    expect(counted.reached(address), address).toHaveLength(1);
    expect(counted.weight).toBeLessThanOrEqual(40_960);
  }
  expect(counted.weight).toBeGreaterThan(40_960 - 200);
  expect(counted.evicted).toBeGreaterThan(0);
});

test('one device under a storm leaves others what was counted at them', { timeout: 120_000 }, () => {
  const counted = new CountedFlows();
  const other = '192.168.1.77';
  expect(see(counted, passingWindows(scan().slice(0, 20), other))).toBe(0);
  const storm = oneAfterTheOther(12_000, 0.0005, (at) => ({
    ...refused,
    srcIp: `198.51.100.${at % 100}`,
    dstPort: 80,
  }));
  for (let at = 0; at < storm.length; at += 60) see(counted, passingWindows(storm.slice(at, at + 60)));
  expect(counted.evicted).toBeGreaterThan(0);
  expect(counted.weight, 'a quarter, and the other').toBeLessThanOrEqual(40_960 / 4 + 100);
  expect(see(counted, passingWindows(scan().slice(20), other))).toBe(1);
});

test('who tries ever other ports puts out nobody who guesses meanwhile', { timeout: 120_000 }, () => {
  const guess = { ...logIn, srcIp: '203.0.113.66', dstPort: 22 };
  const flows = oneAfterTheOther(9000, 0.005, (at) => (at % 200 === 0 ? guess : { ...refused, dstPort: at + 1000 }));
  const counted = new CountedFlows();
  const names = new Set<string>();
  for (let at = 0; at < flows.length; at += 60)
    for (const seen of passingWindows(flows.slice(at, at + 60))) {
      counted.add(seen);
      for (const { attack } of counted.reached(camera)) names.add(attack);
    }
  expect(names).toEqual(new Set(['port_scan', 'brute_force_ssh']));
});

test('devices are forgotten for others, and counted', () => {
  const counted = new CountedFlows(2);
  for (const host of [1, 2, 3]) see(counted, passingWindows(scan().slice(0, 5), `192.168.1.${host}`));
  expect(counted.evicted).toBe(1);
});

test('what counts of a scan is asked flow by flow', () => {
  const counted = new CountedFlows();
  let count = counted.reached(camera)[0];
  for (const seen of passingWindows(oneAfterTheOther(60, 0.1, (port) => ({ ...refused, dstPort: port + 1 })))) {
    counted.add(seen);
    count = counted.reached(camera)[0];
  }
  expect(count).toMatchObject({ attack: 'port_scan', by: '203.0.113.9', flows: 60, sinceUs: startUs });
  expect(counted.holds(camera, count!, ({ atUs }) => atUs >= startUs + 3e6)).toBe(true);
  expect(counted.holds(camera, count!, ({ atUs }) => atUs > startUs + 3e6)).toBe(false);
  expect(counted.holds(camera, { ...count!, key: 'another' }, () => true)).toBe(false);
});

test('several attacks of one host are several counts', () => {
  const counted = new CountedFlows();
  const guess = { ...logIn, dstPort: 21 };
  const both = oneAfterTheOther(60, 0.1, (at) => (at % 2 === 0 ? { ...refused, dstPort: at + 1000 } : guess));
  const names = passingWindows(both).flatMap((seen) => {
    counted.add(seen);
    return counted.reached(camera).map(({ attack }) => attack);
  });
  expect(new Set(names)).toEqual(new Set(['port_scan', 'brute_force_ftp']));
});
