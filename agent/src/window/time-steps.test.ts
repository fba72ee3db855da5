/** A clock that is set while flows come, from the packets to the windows: devices are scored on, and by the time it is now. */
import { expect, test } from 'vitest';
import { DeviceRegistry } from '../devices/device-registry.ts';
import { FlowMeter } from '../features/flow-meter.ts';
import { chunkOf, tcpFrame, type TimedFrame } from '../testing/packet-builder.ts';
import { DeviceWindows } from './device-windows.ts';
import type { WindowContext } from './window-context.ts';

const second = 1_000_000;
const startUs = 1_700_000_000 * second;
const day = 86_400;
const device = '192.168.1.20';
const packets = 600;
const stepAt = 305;

/** Every 100 ms one more packet of a long connection, or every third time a SYN that is refused at once. */
function framesAt(index: number, timeUs: number): TimedFrame[] {
  const ends = { src: '203.0.113.5', dst: device, srcPort: 40_000, dstPort: 443 };
  if (index % 3 > 0) return [{ timeUs, frame: tcpFrame(ends, { flags: 'A', payload: 20 }) }];
  const tried = { ...ends, srcPort: 50_000 + index };
  const refused = { src: tried.dst, dst: tried.src, srcPort: tried.dstPort, dstPort: tried.srcPort };
  return [
    { timeUs, frame: tcpFrame(tried, { flags: 'S' }) },
    { timeUs: timeUs + 90, frame: tcpFrame(refused, { flags: 'RA' }) },
  ];
}

test.each([
  { step: -5, quietSeconds: 5.5 },
  { step: -9, quietSeconds: 9.5 },
  { step: -30, quietSeconds: 0.5 },
  { step: -100, quietSeconds: 0.5 },
  { step: -day, quietSeconds: 0.5 },
  { step: 3600, quietSeconds: 0.5 },
])('a clock set by $step s: the device is scored again within $quietSeconds s', ({ step, quietSeconds }) => {
  const registry = new DeviceRegistry();
  const windows = new DeviceWindows({ source: 'live' });
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) => {
    for (let row = 0; row < batch.count; row++) {
      for (const role of registry.attribute(batch, row)) windows.add(batch, row, role.device, role.direction);
    }
  });
  const scored: { readonly index: number; readonly timeUs: number; readonly context: WindowContext }[] = [];
  for (let index = 0; index < packets; index++) {
    const timeUs = startUs + (index * second) / 10 + (index < stepAt ? 0 : step * second);
    meter.add(chunkOf(framesAt(index, timeUs)));
    meter.flush();
    for (const context of windows.takeDue()?.contexts ?? []) scored.push({ index, timeUs, context });
  }
  const after = scored.filter(({ index }) => index >= stepAt);
  const places = [stepAt, ...after.map(({ index }) => index), packets];
  const gaps = places.slice(1).map((place, index) => (place - places[index]!) / 10);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(quietSeconds);
  expect(after.filter(({ context }) => context.countsAsEvidence).length).toBeGreaterThan(10);
  // As late as it is, but for packets that count as overtaken.
  const aheadUs = Math.max(...after.map(({ timeUs, context }) => context.atUs - timeUs));
  expect(aheadUs).toBeLessThanOrEqual(step < -10 || step > 0 ? 100 : -step * second);
});

test('the host says on a silent interface that its clock was set back: what rests is scored', () => {
  const registry = new DeviceRegistry();
  const windows = new DeviceWindows({ source: 'live' });
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) => {
    for (let row = 0; row < batch.count; row++) {
      for (const role of registry.attribute(batch, row)) windows.add(batch, row, role.device, role.direction);
    }
  });
  meter.add(chunkOf([...framesAt(0, startUs), ...framesAt(3, startUs + 100_000)]));
  meter.flush();
  expect(windows.takeDue()?.batch.count).toBe(1);
  windows.advance(startUs + 200_000 - day * second);
  expect(windows.takeDue()?.contexts.map(({ flowsSeen }) => flowsSeen)).toEqual([2]);
});
