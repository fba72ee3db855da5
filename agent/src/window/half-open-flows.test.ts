import { halfOpenFlood } from '@picket/shared/policy/half-open-flood';
import { expect, test } from 'vitest';
import { DeviceRegistry } from '../devices/device-registry.ts';
import { FlowMeter } from '../features/flow-meter.ts';
import { chunkOf, tcpFrame, type TimedFrame } from '../testing/packet-builder.ts';
import { DeviceWindows } from './device-windows.ts';

const startUs = 1_700_000_000_000_000;
const device = '192.168.1.20';

/** A packet of a conversation: ms after its first, from the device or to it, TCP flags. */
type Step = readonly [atMs: number, from: 'client' | 'device', flags: string];

/** Ports on which a window ever showed a flood, where ten clients do this 4 ms (or so many) apart. */
function floodsIn(
  steps: readonly Step[],
  { apartMs = 4, client = (index: number) => `203.0.${index}.9` } = {},
): number[] {
  const frames = Array.from({ length: 10 }, (_, index) =>
    steps.map(([atMs, from, flags]): TimedFrame => {
      const there = { src: client(index), srcPort: 40_000 + index, dst: device, dstPort: 1883 };
      const back = { src: there.dst, srcPort: there.dstPort, dst: there.src, dstPort: there.srcPort };
      const frame = tcpFrame(from === 'client' ? there : back, { flags });
      return { timeUs: startUs + (index * apartMs + atMs) * 1000, frame };
    }),
  );
  const devices = new DeviceRegistry();
  const windows = new DeviceWindows({ source: 'pcap' });
  const ports = new Set<number>();
  const look = (): void => {
    for (const context of windows.takeDue()?.contexts ?? []) {
      const flood = context.device.address === device ? halfOpenFlood(context) : undefined;
      if (flood !== undefined) ports.add(flood.port);
    }
  };
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) => {
    for (let row = 0; row < batch.count; row++)
      for (const { device: one, direction } of devices.attribute(batch, row)) windows.add(batch, row, one, direction);
    look();
  });
  for (const frame of frames.flat().toSorted((a, b) => a.timeUs - b.timeUs)) {
    meter.add(chunkOf([frame]));
    meter.flush();
  }
  meter.finish();
  windows.finish();
  look();
  return [...ports];
}

const syn: Step = [0, 'client', 'S'];

test('ten SYNs that are answered, again and again, and never acknowledged are a flood', () => {
  const answers = [0.3, 1000.3, 3000.3].map((atMs): Step => [atMs, 'device', 'SA']);
  expect(floodsIn([syn, ...answers])).toEqual([1883]);
});

test.each<[string, readonly Step[]]>([
  ['refused', [syn, [0.2, 'device', 'RA']]],
  ['answered and then silent', [syn, [0.2, 'device', 'SA'], [0.5, 'client', 'A']]],
  ['not answered, and ask again', [syn, [1030, 'client', 'S'], [3100, 'client', 'S']]],
])('ten clients that come at once and are %s are none', (_, steps) => {
  expect(floodsIn(steps)).toEqual([]);
});

test('clients of the LAN are none, even where a device leaves them half-open', () => {
  expect(floodsIn([syn, [0.3, 'device', 'SA']], { client: (index) => `192.168.1.${100 + index}` })).toEqual([]);
});

test('ten that nobody answers are one within 20 ms', () => {
  expect(floodsIn([syn], { apartMs: 2 })).toEqual([1883]);
  expect(floodsIn([syn], { apartMs: 3 })).toEqual([]);
});
