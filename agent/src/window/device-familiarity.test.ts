/** Who is known to a run that begins with what another knew. Windows and registry are the agent's own. */
import { expect, test } from 'vitest';
import { benchStartUs, WindowsBench } from '../testing/windows-bench.ts';
import type { DeviceFamiliarity } from './device-familiarity.ts';

const own = '02:00:00:00:00:20';
const another = '02:00:00:00:00:99';
const minuteMs = 60_000;

/** Of the newest flow in the newest window: for how many seconds device and peer had been known when it came. */
function told(bench: WindowsBench): { readonly device: number; readonly peer: number } {
  bench.windows.finish();
  const flow = bench.take().at(-1)!.flows.at(-1)!;
  const secondsSince = (sinceUs: number): number => (flow.lastPacketAtUs - sinceUs) / 1e6;
  return { device: secondsSince(flow.deviceSinceUs), peer: secondsSince(flow.peerSinceUs) };
}

/** A camera that calls a host outside, for fifteen minutes, and what is known of it a minute later. */
function known(mac: string | null = own): readonly DeviceFamiliarity[] {
  const bench = new WindowsBench({ source: 'live' });
  bench.add(0, called(mac));
  bench.add(15 * minuteMs, called(mac));
  bench.windows.advance(benchStartUs + 16 * minuteMs * 1000);
  return [...bench.windows.familiarity()];
}

function called(mac: string | null): { src: string; dst: string; srcMac?: string } {
  return { src: '192.168.1.20', dst: '203.0.113.5', ...(mac === null ? {} : { srcMac: mac }) };
}

/** The next run, by a clock that is a day behind. */
function nextRun(before: readonly DeviceFamiliarity[], capacity = 4096): WindowsBench {
  const bench = new WindowsBench({ source: 'live', capacity });
  bench.windows.restore(before);
  return bench;
}
const dayMs = 86_400_000;

test('a device is known for as long as it was, and for not a second of the time between', () => {
  const before = known();
  expect(before).toMatchObject([{ address: '192.168.1.20', mac: own, deviceMs: 16 * minuteMs }]);
  const bench = nextRun(before);
  bench.add(-dayMs, called(own));
  expect(told(bench)).toEqual({ device: 960, peer: 960 });
  bench.add(-dayMs + 30_000, { ...called(own), dst: '198.51.100.7', flowNumber: 1 });
  expect(told(bench)).toEqual({ device: 990, peer: 0 });
});

test('who was given the address by now inherits nothing, whether he is heard speaking or spoken to first', () => {
  const speaks = nextRun(known());
  speaks.add(-dayMs, called(another));
  expect(told(speaks)).toEqual({ device: 0, peer: 0 });

  const isSpokenTo = nextRun(known());
  isSpokenTo.add(-dayMs, {}); // by the very host; whose address this is nothing shows yet
  expect(told(isSpokenTo)).toEqual({ device: 960, peer: 960 });
  expect([...isSpokenTo.windows.familiarity()]).toMatchObject([{ mac: own }]);
  isSpokenTo.add(-dayMs + 1000, { ...called(another), flowNumber: 1 });
  expect(told(isSpokenTo)).toEqual({ device: 0, peer: 0 });
  expect([...isSpokenTo.windows.familiarity()]).toMatchObject([{ mac: another, deviceMs: 0, peersMs: [0] }]);

  const isItself = nextRun(known());
  isItself.add(-dayMs, {});
  isItself.add(-dayMs + 1000, { ...called(own), flowNumber: 1 });
  expect(told(isItself)).toEqual({ device: 961, peer: 961 });
});

test('a frame in its name with another MAC does not make that one its heir', () => {
  const before = new WindowsBench({ source: 'live' });
  before.add(0, called(own));
  before.add(15 * minuteMs, { ...called(another), flowNumber: 1 });
  const handedOn = [...before.windows.familiarity()];
  expect(handedOn).toMatchObject([{ mac: own, deviceMs: 15 * minuteMs }]);
  const heir = nextRun(handedOn);
  heir.add(-dayMs, called(another));
  expect(told(heir).device).toBe(0);
  const itself = nextRun(handedOn);
  itself.add(-dayMs, called(own));
  expect(told(itself).device).toBe(900);
});

test('where no frame of its own was ever seen the address names the device', () => {
  const bench = nextRun(known(null));
  bench.add(-dayMs, called(another));
  expect(told(bench)).toEqual({ device: 960, peer: 960 });
});

test('who has not come yet is known to a third run, and what was known is given once', () => {
  const first = known();
  const second = nextRun(first);
  second.add(-dayMs, { src: '192.168.1.7', dst: '203.0.113.5', srcMac: another });
  const handedOn = [...second.windows.familiarity()];
  expect(handedOn.map(({ address }) => address)).toEqual(['192.168.1.7', '192.168.1.20']);
  expect(handedOn[1]).toEqual(first[0]);
  const third = nextRun(handedOn);
  third.add(0, called(own));
  expect(told(third)).toEqual({ device: 960, peer: 960 });
});

test('devices of an earlier run take the place of nobody who came, and leave in the order in which they were heard', () => {
  const before = new WindowsBench({ source: 'live' });
  for (let host = 1; host <= 8; host++) before.add(host, { dst: `192.168.1.${host}`, flowNumber: host });
  const bench = nextRun([...before.windows.familiarity()], 5);
  const addresses = (): string[] => [...bench.windows.familiarity()].map(({ address }) => address.slice(10));
  expect(addresses()).toEqual(['8', '7', '6', '5', '4']);
  bench.add(10, { dst: '192.168.1.50', flowNumber: 50 });
  expect(addresses()).toEqual(['50', '8', '7', '6', '5']);
  bench.add(20, { dst: '192.168.1.6', flowNumber: 51 });
  expect(addresses()).toEqual(['6', '50', '8', '7', '5']);
  for (let host = 60; host < 64; host++) bench.add(host, { dst: `192.168.1.${host}`, flowNumber: host });
  expect(addresses()).toEqual(['63', '62', '61', '60', '6']);
  bench.windows.useCapacity(2);
  expect(addresses()).toEqual(['63', '62']);
});

test('who has not come yet is still known after a time in which memory was short', () => {
  const bench = nextRun(known());
  bench.add(0, { dst: '192.168.1.50', flowNumber: 50 });
  bench.windows.useCapacity(1);
  bench.windows.useCapacity(4096);
  expect([...bench.windows.familiarity()].map(({ address }) => address)).toEqual(['192.168.1.50', '192.168.1.20']);
});
