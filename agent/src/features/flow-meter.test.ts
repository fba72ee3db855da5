import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FeatureProfile } from '@picket/shared/features/feature-profile';
import { mixture } from '../testing/mixed-traffic.ts';
import { chunkOf, tcpFrame } from '../testing/packet-builder.ts';
import { flowsOf, type MeteredFlow, RecordingMeter } from '../testing/meter-frames.ts';
import { FlowMeter } from './flow-meter.ts';

const startUs = 1_700_000_000_000_000;

describe.each(FeatureProfile.options)('%s', (profile) => {
  test.each(['reference', 'live'] as const)('%s: the same flows however the capture is cut into chunks', (endings) => {
    const frames = mixture(1500);
    const whole = new RecordingMeter({ profile, endings, capacity: 16 }).add(...frames).finish();
    expect(whole.length).toBeGreaterThan(50);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 4, maxLength: 8 }), (sizes) => {
        const meter = new RecordingMeter({ profile, endings, capacity: 16 });
        for (let at = 0, turn = 0; at < frames.length; turn++) {
          const size = sizes[turn % sizes.length]!;
          meter.add(...frames.slice(at, at + size));
          at += size;
        }
        expect(meter.finish()).toEqual(whole);
      }),
      { numRuns: 4 },
    );
  });
});

test('every packet of a flow is in it once: reports replace, endings sum up to what was decoded', () => {
  const meter = new RecordingMeter({ profile: 'fixed', endings: 'live' }).add(...mixture(3000));
  const flows = meter.finish();
  const last = new Map<number, MeteredFlow>();
  for (const flow of flows) {
    const before = last.get(flow.flowNumber);
    if (before !== undefined) {
      expect(before.end).toBe('report');
      expect(flow.reportNumber).toBe(before.reportNumber + 1);
    }
    last.set(flow.flowNumber, flow);
  }
  let packets = 0;
  for (const { features, end } of last.values()) {
    expect(end).not.toBe('report');
    packets += features['Total Fwd Packets']! + features['Total Backward Packets']!;
  }
  const { counters } = meter.meter;
  expect(packets + counters.latePackets + counters.notIp + counters.undecodable).toBe(counters.packets);
  expect(counters.flows).toBe(last.size);
});

test('whatever the bytes are, the meter counts them and goes on', () => {
  const seeds = mixture(60);
  const change = fc.tuple(fc.nat(59), fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0, 1, 101, 113),
      (changes, linkType) => {
        const frames = seeds.map((timed) => ({ ...timed, linkType, frame: Uint8Array.from(timed.frame) }));
        for (const [row, at, value] of changes) frames[row]!.frame[at % frames[row]!.frame.length] = value;
        for (const profile of FeatureProfile.options) {
          const meter = new RecordingMeter({ profile, endings: 'live', capacity: 8 }).add(...frames);
          meter.finish();
          expect(meter.meter.counters).toMatchObject({ packets: 60, active: 0 });
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('a full batch goes out by itself, a part of one with flush, and none is written again', () => {
  const batches: MeteredFlow[][] = [];
  const rows: number[] = [];
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'live', batchSize: 4 }, (batch) => {
    batches.push(flowsOf(batch));
    rows.push(batch.startedAtUs.length);
  });
  const resets = Array.from({ length: 6 }, (_, index) => ({
    timeUs: startUs + index,
    frame: tcpFrame({ src: `10.0.0.${index}`, dst: '10.0.1.1' }, { flags: 'R', srcMac: '02:00:00:00:00:0a' }),
  }));
  meter.add(chunkOf(resets));
  expect(batches.map((batch) => batch.length)).toEqual([4]);
  meter.flush();
  meter.flush();
  expect(batches.map((batch) => batch.map((flow) => flow.src))).toEqual([
    ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3'],
    ['10.0.0.4', '10.0.0.5'],
  ]);
  expect(rows).toEqual([4, 2]);
});

test('a batch names who sent the first packet, and no sender of a conversation that is first seen by its answer', () => {
  const macs: string[] = [];
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) =>
    macs.push(
      Buffer.from(batch.srcMac.subarray(0, 6)).toString('hex'),
      Buffer.from(batch.dstMac.subarray(0, 6)).toString('hex'),
    ),
  );
  const frame = (flags: string, src: string): Uint8Array =>
    tcpFrame({ src, dst: '10.0.0.2' }, { flags, srcMac: '02:00:00:00:00:0a', dstMac: '02:00:00:00:00:0b' });
  meter.add(chunkOf([{ timeUs: startUs, frame: frame('S', '10.0.0.1') }]));
  meter.finish();
  meter.add(chunkOf([{ timeUs: startUs, frame: frame('SA', '10.0.0.3') }]));
  meter.finish();
  expect(macs).toEqual(['02000000000a', '02000000000b', '000000000000', '02000000000a']);
});
