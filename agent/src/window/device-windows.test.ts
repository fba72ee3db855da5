import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { BootId, newId } from '@picket/shared/contract/identifiers';
import { FlowSummary } from '@picket/shared/contract/flow';
import { expect, test } from 'vitest';
import { DeviceRegistry } from '../devices/device-registry.ts';
import { flowBatchOf, type FlowRow } from '../testing/flow-rows.ts';
import { DeviceWindows, type DeviceWindowsOptions, type WindowContext } from './device-windows.ts';
import { instantOf } from './packet-time.ts';
import { evidenceOf } from './window-flow.ts';

const second = 1_000_000;
const start = 1_700_000_000 * second;

class Windows {
  readonly devices = new DeviceRegistry();
  readonly windows: DeviceWindows;

  constructor(options: Partial<DeviceWindowsOptions> = {}) {
    this.windows = new DeviceWindows({ source: 'pcap', ...options });
  }

  /** An inbound flow at `atMs` after the start. */
  add(atMs: number, row: Partial<FlowRow> = {}): void {
    const batch = flowBatchOf([
      { src: '203.0.113.5', dst: '192.168.1.20', lastPacketAtUs: start + atMs * 1000, ...row },
    ]);
    for (const { device, direction } of this.devices.attribute(batch, 0)) {
      this.windows.add(batch, 0, device, direction);
    }
  }

  take(): readonly WindowContext[] {
    return this.windows.takeDue()?.contexts ?? [];
  }
}

test('a window holds the latest ten flows, oldest first, present flows in the last slots', () => {
  const windows = new Windows();
  for (let flow = 1; flow <= 3; flow++) {
    windows.add(flow, { flowNumber: flow, features: { 'Flow Duration': flow } });
  }
  windows.take();
  windows.windows.finish();
  const due = windows.windows.takeDue();
  expect(due?.batch.count).toBe(1);
  expect(due?.batch.flowsSeen[0]).toBe(3);
  const durations = Array.from({ length: windowLength }, (_, slot) => due?.batch.windows[slot * featureCount + 1]);
  expect(durations).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
  expect(due?.contexts[0]?.flows.map((flow) => flow.flowNumber)).toEqual([1, 2, 3]);

  for (let flow = 4; flow <= 25; flow++) windows.add(3, { flowNumber: flow, features: { 'Flow Duration': flow } });
  windows.take(); // what came ahead of time
  windows.add(4, { flowNumber: 26, features: { 'Flow Duration': 26 } });
  windows.windows.finish();
  const full = windows.windows.takeDue();
  expect(full?.contexts[0]?.flows.map((flow) => flow.flowNumber)).toEqual([17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
  expect(full?.batch.windows[1]).toBe(17);
  expect(full?.batch.windows[9 * featureCount + 1]).toBe(26);
});

test('a report replaces its own slot and keeps its place', () => {
  const windows = new Windows();
  windows.add(0, { flowNumber: 1, reportNumber: 0, features: { 'Total Fwd Packets': 64 } });
  windows.add(1, { flowNumber: 2, src: '203.0.113.6' });
  windows.add(2, { flowNumber: 1, reportNumber: 1, features: { 'Total Fwd Packets': 900 }, end: 'report' });
  windows.windows.finish();
  const last = windows.take().at(-1);
  expect(last?.flows.map((flow) => [flow.flowNumber, flow.reportNumber, flow.fwdPackets])).toEqual([
    [1, 1, 900],
    [2, 0, 0],
  ]);
  expect(last?.freshFlows).toBe(3);
});

test('a burst is scored ahead of time, each window with ten flows that the one before had not', () => {
  const windows = new Windows();
  for (let flow = 1; flow <= 200; flow++) windows.add(0, { flowNumber: flow });
  const due = windows.take();
  expect(due.map(({ flows, countsAsEvidence }) => [flows.at(-1)?.flowNumber, countsAsEvidence])).toEqual([
    [1, false],
    [10, true],
    [20, true],
    [30, true],
  ]);
  expect(due.map(({ freshFlows }) => freshFlows)).toEqual([1, 10, 10, 10]);
});

test('a device is scored at once, then four times a second of packet time, and only when it changed', () => {
  const windows = new Windows();
  for (let ms = 0; ms < 1000; ms += 50) windows.add(ms, { flowNumber: ms });
  expect(windows.take()).toHaveLength(4);
  windows.windows.advance(start + 1_100_000);
  expect(windows.take()).toHaveLength(1);
  windows.windows.advance(start + 60 * second);
  windows.windows.finish();
  expect(windows.take()).toHaveLength(0);
});

test('when windows are due depends on the flows, not on how they were batched', () => {
  const seen = (takeEvery: number): readonly string[] => {
    const windows = new Windows();
    const taken: string[] = [];
    for (let flow = 0; flow < 500; flow++) {
      windows.add(flow * 7, { flowNumber: flow, dst: `192.168.1.${flow % 9}` });
      if (flow % takeEvery === 0) {
        taken.push(...windows.take().map((context) => `${context.device.address} ${context.atUs}`));
      }
    }
    windows.windows.finish();
    return [...taken, ...windows.take().map((context) => `${context.device.address} ${context.atUs}`)];
  };
  expect(seen(1)).toEqual(seen(100));
});

test('a window counts as evidence once five flows are new or updated since the last that counted', () => {
  const windows = new Windows();
  const counted: boolean[] = [];
  for (let flow = 0; flow < 12; flow++) {
    windows.add(flow * 1000, { flowNumber: flow });
    counted.push(...windows.take().map((context) => context.countsAsEvidence));
  }
  expect(counted.map(Number)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]);
});

/** Reports of one flow, each `[second, packets until then]`; which of the windows they make count as evidence. */
function evidenceOfReports(
  reports: readonly (readonly [atSecond: number, packets: number])[],
  end: FlowRow['end'] = 'report',
): number[] {
  const windows = new Windows();
  return reports.map(([atSecond, packets], reportNumber) => {
    windows.add(atSecond * 1000, {
      flowNumber: 1,
      reportNumber,
      startedAtUs: start,
      end,
      features: { 'Total Fwd Packets': packets },
    });
    return Number(windows.take()[0]?.countsAsEvidence ?? false);
  });
}

test('a flood in one flow counts with each report, not only with every fifth', () => {
  expect(
    evidenceOfReports([
      [0.1, 64],
      [5.1, 5064],
      [10.1, 10_064],
    ]),
  ).toEqual([1, 1, 1]);
});

test('a flow that trickles, has stopped, or has ended counts one with each report', () => {
  expect(
    evidenceOfReports([
      [2, 64],
      [7, 300],
      [12, 340],
      [17, 380],
      [22, 420],
      [27, 460],
    ]),
  ).toEqual([0, 0, 0, 0, 1, 0]);
  expect(
    evidenceOfReports([
      [0.1, 64],
      [5.1, 5064],
      [10.1, 5064],
      [15.1, 5064],
    ]),
  ).toEqual([1, 1, 0, 0]);
  expect(evidenceOfReports([[0.5, 900]], 'closed')).toEqual([0]);
});

test('one surge makes one window count, whatever else the device does', () => {
  const windows = new Windows();
  windows.add(100, { flowNumber: 1, end: 'report', startedAtUs: start, features: { 'Total Fwd Packets': 500 } });
  windows.add(500, { flowNumber: 2 });
  windows.add(1000, { flowNumber: 3 });
  expect(windows.take().map(({ countsAsEvidence, freshFlows }) => [countsAsEvidence, freshFlows])).toEqual([
    [true, 1],
    [false, 1],
    [false, 2],
  ]);
});

test('what is not a number, and a negative rate, reaches the network as 0', () => {
  const windows = new Windows();
  windows.add(0, {
    features: {
      'Flow Bytes/s': Number.POSITIVE_INFINITY,
      'Flow Packets/s': -1,
      'Fwd IAT Mean': Number.NaN,
      Init_Win_bytes_backward: -1,
    },
  });
  const newest = windows.windows.takeDue()?.batch.windows.subarray(9 * featureCount);
  const valueOf = (name: string): number | undefined => newest?.[featureNames.indexOf(name)];
  expect(['Flow Bytes/s', 'Flow Packets/s', 'Fwd IAT Mean'].map(valueOf)).toEqual([0, 0, 0]);
  expect(valueOf('Init_Win_bytes_backward')).toBe(-1);
});

test('a flow of the window can be named as evidence', () => {
  const windows = new Windows();
  windows.add(1500, {
    flowNumber: 12,
    startedAtUs: start,
    src: '2001:db8::5',
    dst: 'fd00::20',
    srcPort: 51_000,
    dstPort: 22,
    features: { 'Total Fwd Packets': 3, 'Total Length of Bwd Packets': 80 },
  });
  const bootId = BootId.parse(newId());
  const [flow] = windows.take()[0]?.flows ?? [];
  expect(FlowSummary.parse(flow && evidenceOf(flow, bootId))).toEqual({
    flow_id: `${bootId}.12`,
    started_at: '2023-11-14T22:13:20.000Z',
    last_packet_at: '2023-11-14T22:13:21.500Z',
    src_ip: '2001:db8::5',
    src_port: 51_000,
    dst_ip: 'fd00::20',
    dst_port: 22,
    protocol: 6,
    direction: 'inbound',
    fwd_packets: 3,
    bwd_packets: 0,
    fwd_bytes: 0,
    bwd_bytes: 80,
    community_id: expect.stringMatching(/^1:/),
  });
});

test.each([
  [{ protocol: 1, icmp: { type: 20, code: 1 }, srcPort: 0, dstPort: 0 }, '1:tz/fHIDUHs19NkixVVoOZywde+I='],
  [{ protocol: 1, icmp: { type: 8, code: 0 }, srcPort: 0, dstPort: 0 }, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
])('evidence carries the name that other tools have for the flow: %j', (flow, expected) => {
  const windows = new Windows();
  windows.add(0, { flowNumber: 1, src: '192.168.0.89', dst: '192.168.0.1', ...flow });
  const [evidence] = windows.take()[0]?.flows ?? [];
  expect(evidence && evidenceOf(evidence, BootId.parse(newId())).community_id).toBe(expected);
});

test('a context is plain data, and later flows do not change it', () => {
  const windows = new Windows();
  windows.add(0, { flowNumber: 1 });
  const [context] = windows.take();
  const copy = structuredClone(context);
  for (let flow = 2; flow < 20; flow++) windows.add(flow, { flowNumber: flow, src: '198.51.100.1' });
  expect(context).toEqual(copy);
});

test('when the clock was set back, devices are scored again', () => {
  const windows = new Windows();
  windows.add(200_000, { flowNumber: 1 });
  windows.add(80_000, { flowNumber: 2, handedOverAtUs: start + 200 * second }); // ended late
  expect(windows.take()).toHaveLength(1);
  windows.add(180_000, { flowNumber: 3 });
  windows.add(180_300, { flowNumber: 4 });
  expect(windows.take().map(({ atUs }) => atUs)).toEqual([start + 180 * second, start + 180.3 * second]);
});

test('devices and waiting windows are bounded and what is given up is counted', () => {
  const windows = new Windows({ capacity: 50, maxDue: 20 });
  for (let host = 0; host < 200; host++) windows.add(host, { flowNumber: host, dst: `192.168.1.${host}` });
  expect(windows.windows.size).toBe(50);
  expect(windows.windows.evicted).toBe(150);
  expect(windows.windows.dropped).toBe(180);
  expect(windows.take().map((context) => context.device.address)).toEqual(
    Array.from({ length: 20 }, (_, index) => `192.168.1.${180 + index}`),
  );
});

test.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [-5, '1970-01-01T00:00:00.000Z'],
  [Number.NaN, '1970-01-01T00:00:00.000Z'],
  [1e300, '9999-12-31T23:59:59.999Z'],
  [start + 1234, '2023-11-14T22:13:20.001Z'],
])('the packet time %d is the instant %s', (timeUs, instant) => {
  expect(instantOf(timeUs)).toBe(instant);
});

test('flows that no window shows pass beside the next one, each once, and no more than a bound', () => {
  const windows = new Windows();
  const seen = (count: number, from: number, atMs: number): readonly WindowContext[] => {
    for (let flow = 0; flow < count; flow++) windows.add(atMs, { flowNumber: from + flow });
    windows.windows.finish();
    return windows.take();
  };
  const numbers = (contexts: readonly WindowContext[]): number[] => [
    ...new Set(contexts.flatMap(({ passed, flows }) => [...passed, ...flows].map(({ flowNumber }) => flowNumber))),
  ];
  const contexts = seen(60, 1, 1);
  expect(numbers(contexts).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  const passed = contexts.flatMap((context) => context.passed.map(({ flowNumber }) => flowNumber));
  expect(passed.length).toBe(new Set(passed).size);
  expect(passed).not.toContain(60);
  const many = seen(1000, 100, 2);
  expect(Math.max(...many.map((context) => context.passed.length))).toBe(64);
  expect(
    seen(1, 2000, 3).flatMap((context) => context.passed),
    'they were taken',
  ).toEqual([]);
});
