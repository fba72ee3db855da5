/** The published meters compare with "longer than": what lasts exactly as long as a limit is still within it. */
import { expect, test } from 'vitest';
import { RecordingMeter } from '../testing/meter-frames.ts';
import { type TimedFrame, udpFrame } from '../testing/packet-builder.ts';

const startUs = 1_700_000_000_000_000;
const ends = { src: '10.0.0.2', dst: '203.0.113.5', srcPort: 40_001, dstPort: 53 };

/** A conversation of one side whose packets come at these µs after its start; the columns of each flow it makes. */
function flowsAt(...timesUs: readonly number[]): readonly Readonly<Record<string, number>>[] {
  const frames: TimedFrame[] = timesUs.map((atUs) => ({
    timeUs: startUs + atUs,
    frame: udpFrame(ends, { payload: 10 }),
  }));
  const flows = new RecordingMeter({ profile: 'fixed', endings: 'reference' }).add(...frames).finish();
  return flows.map(({ features }) => features);
}

test('a flow may last 120 s and is cut one µs later', () => {
  expect(flowsAt(0, 120_000_000)).toMatchObject([{ 'Flow Duration': 120_000_000, 'Total Fwd Packets': 2 }]);
  expect(flowsAt(0, 120_000_001)).toMatchObject([{ 'Total Fwd Packets': 1 }, { 'Total Fwd Packets': 1 }]);
});

test('a silence of 5 s is part of an active period; one µs more is idle', () => {
  expect(flowsAt(0, 1000, 5_001_000)).toMatchObject([{ 'Active Max': 0, 'Idle Max': 0 }]);
  expect(flowsAt(0, 1000, 5_001_001)).toMatchObject([{ 'Active Max': 1000, 'Idle Max': 5_000_001 }]);
});

test('a gap of 1 s divides neither subflows nor a bulk; one µs more divides both', () => {
  expect(flowsAt(0, 1000, 1_001_000, 1_002_000)).toMatchObject([
    { 'Subflow Fwd Packets': 0, 'Fwd Avg Packets/Bulk': 4 },
  ]);
  expect(flowsAt(0, 1000, 1_001_001, 1_002_001)).toMatchObject([
    { 'Subflow Fwd Packets': 4, 'Fwd Avg Packets/Bulk': 0 },
  ]);
});
