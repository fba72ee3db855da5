import { expect, test } from 'vitest';
import type { EventBody } from '@picket/shared/contract/envelope';
import { Flow } from '@picket/shared/contract/flow';
import type { BootId } from '@picket/shared/contract/identifiers';
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { DeviceRegistry } from '../devices/device-registry.ts';
import { flowBatchOf, type FlowRow } from '../testing/flow-rows.ts';
import { scoredWindow, sketchStartUs } from '../testing/scored-windows.ts';
import { Reporter } from './reporter.ts';

const bootId = '019a0000-0000-7000-8000-0000000000aa' as BootId;

const routerMac = '02:00:00:00:00:01';

function reporterWith(benignSample: number): {
  reporter: Reporter;
  events: EventBody[];
  feed(rows: readonly FlowRow[]): void;
} {
  const events: EventBody[] = [];
  const reporter = new Reporter({
    bootId,
    source: 'pcap',
    benignSample,
    mayReportInFull: () => true,
    sink: (added) => events.push(...added),
  });
  const registry = new DeviceRegistry();
  registry.useRelayMacs([routerMac]);
  return {
    reporter,
    events,
    feed(rows) {
      const batch = flowBatchOf(rows);
      for (let row = 0; row < batch.count; row++) {
        const isRelayed = registry.isRelayed(batch, row);
        for (const role of registry.attribute(batch, row)) reporter.onFlow(batch, row, role, isRelayed);
      }
    },
  };
}

const lanFlow = { src: '192.168.1.20', dst: '198.51.100.1', lastPacketAtUs: sketchStartUs } as const;
const kinds = (events: readonly EventBody[]): string[] => events.map(({ kind }) => kind);

test('an attack window goes out with its flows, and a flow that was sent is not sent again', () => {
  const { reporter, events } = reporterWith(0);
  const { prediction, context } = scoredWindow({ at: 0, says: 'port_scan' });
  const features = new Float32Array(windowLength * featureCount).fill(7);
  reporter.onPrediction(prediction, context, features);
  expect(kinds(events)).toEqual(['prediction', ...Array.from({ length: 10 }, () => 'flow')]);
  for (const { kind, body } of events) if (kind === 'flow') expect(Flow.safeParse(body).error).toBeUndefined();
  reporter.onPrediction(prediction, context, features);
  expect(kinds(events).filter((kind) => kind === 'flow')).toHaveLength(10);
});

test('benign windows and flows stay on the gateway where nothing is sampled', () => {
  const { reporter, events, feed } = reporterWith(0);
  const { prediction, context } = scoredWindow({ at: 0, says: 'benign' });
  reporter.onPrediction(prediction, context, new Float32Array(windowLength * featureCount));
  feed([{ ...lanFlow }]);
  expect(events).toEqual([]);
});

test('a benign window that an alert rests on goes out with its flows', () => {
  const { reporter, events } = reporterWith(0);
  const { prediction, context } = scoredWindow({ at: 0, says: 'benign' });
  reporter.onPrediction(prediction, context, new Float32Array(windowLength * featureCount), true);
  expect(events.map(({ kind }) => kind)).toEqual(['prediction', ...context.flows.map(() => 'flow')]);
});

test('what a router brought is told as such, in a sampled flow and in those of a window', () => {
  const { reporter, events, feed } = reporterWith(1);
  feed([
    { ...lanFlow, srcMac: routerMac },
    { ...lanFlow, srcMac: '02:00:00:00:00:20' },
  ]);
  const { prediction, context } = scoredWindow({ at: 0, says: 'port_scan' });
  const features = new Float32Array(windowLength * featureCount);
  const flows = context.flows.map((flow, index) => ({ ...flow, isRelayed: index === 0 }));
  reporter.onPrediction(prediction, { ...context, flows }, features);
  const told = events.flatMap(({ kind, body }) => (kind === 'flow' ? [Flow.parse(body).is_relayed === true] : []));
  expect(told).toEqual([true, false, true, ...Array.from({ length: 9 }, () => false)]);
});

test('a sampled flow is sent with every report of it, and only as many flows as the share says', () => {
  const { events, feed } = reporterWith(0.25);
  for (let flowNumber = 0; flowNumber < 1000; flowNumber++) {
    feed([
      { ...lanFlow, flowNumber, reportNumber: 0, end: 'report' },
      { ...lanFlow, flowNumber, reportNumber: 1, end: 'closed' },
    ]);
  }
  const ids = events.flatMap(({ kind, body }) => (kind === 'flow' ? [body.flow_id] : []));
  expect(ids.length).toBe(new Set(ids).size * 2);
  expect(new Set(ids).size / 1000).toBeGreaterThan(0.2);
  expect(new Set(ids).size / 1000).toBeLessThan(0.3);
});

test('a minute counts a flow once, however often it was reported while it lived', () => {
  const { reporter, events, feed } = reporterWith(0);
  const features = { 'Total Fwd Packets': 3, 'Total Backward Packets': 2, 'Total Length of Fwd Packets': 100 };
  feed([
    { ...lanFlow, flowNumber: 1, reportNumber: 0, end: 'report', features },
    { ...lanFlow, flowNumber: 1, reportNumber: 1, end: 'closed', features },
  ]);
  reporter.finish();
  expect(events).toMatchObject([
    { kind: 'counters', body: { flows: 1, packets: 5, bytes: 100, device: { address: '192.168.1.20' } } },
  ]);
});

test('counters go out when packet time enters the next minute', () => {
  const { events, feed } = reporterWith(0);
  feed([{ ...lanFlow, lastPacketAtUs: 59_000_000 }]);
  expect(events).toEqual([]);
  feed([{ ...lanFlow, lastPacketAtUs: 61_000_000 }]);
  expect(events).toMatchObject([{ kind: 'counters', body: { minute: '1970-01-01T00:00:00.000Z', flows: 1 } }]);
});

test('counters go out at once after a clock was set back, and not for a flow that ended late', () => {
  const { events, feed } = reporterWith(0);
  const day = 86_400_000_000;
  feed([
    { ...lanFlow, lastPacketAtUs: day },
    { ...lanFlow, lastPacketAtUs: day - 120_000_000 },
  ]);
  expect(events).toEqual([]);
  feed([{ ...lanFlow, lastPacketAtUs: 1_000_000 }]);
  feed([{ ...lanFlow, lastPacketAtUs: 61_000_000 }]);
  expect(events.map((event) => event.kind === 'counters' && [event.body.minute, event.body.flows])).toEqual([
    ['1970-01-02T00:00:00.000Z', 2],
    ['1970-01-01T00:00:00.000Z', 1],
  ]);
});

test('features survive packing to the digits of float32', () => {
  const { events, feed } = reporterWith(1);
  feed([{ ...lanFlow, features: { 'Flow Duration': 1.5e6, 'Flow Bytes/s': Number.POSITIVE_INFINITY } }]);
  const [event] = events;
  if (event?.kind !== 'flow') throw new Error('no flow was sent');
  const packed = Buffer.from(event.body.features, 'base64');
  expect(packed.readFloatLE(featureNames.indexOf('Flow Duration') * 4)).toBe(1.5e6);
  expect(packed.readFloatLE(featureNames.indexOf('Flow Bytes/s') * 4)).toBe(0);
});
