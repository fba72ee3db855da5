/** Values worked out by hand from the definitions, one small flow per question. */
import { describe, expect, test } from 'vitest';
import { FeatureProfile } from '@picket/shared/features/feature-profile';
import { maximumSegmentSize, tcpFrame, type TimedFrame, udpFrame } from '../testing/packet-builder.ts';
import { RecordingMeter } from '../testing/meter-frames.ts';

const startUs = 1_700_000_000_000_000;
const client = { src: '10.0.0.2', dst: '203.0.113.5', srcPort: 40_001, dstPort: 443 };
const server = { src: client.dst, dst: client.src, srcPort: client.dstPort, dstPort: client.srcPort };

type Tcp = Parameters<typeof tcpFrame>[1];
const up = (atUs: number, options: Tcp): TimedFrame => ({ timeUs: startUs + atUs, frame: tcpFrame(client, options) });
const down = (atUs: number, options: Tcp): TimedFrame => ({ timeUs: startUs + atUs, frame: tcpFrame(server, options) });

function featuresOf(profile: FeatureProfile, frames: readonly TimedFrame[]): Readonly<Record<string, number>> {
  const flows = new RecordingMeter({ profile, endings: 'reference' }).add(...frames).finish();
  expect(flows).toHaveLength(1);
  return flows[0]!.features;
}

function expectFeatures(actual: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(expected)) {
    if (Number.isFinite(value) && value !== 0) expect(actual[name]! / value, name).toBeCloseTo(1, 12);
    else expect(actual[name], name).toBe(value);
  }
}

/** Handshake, request and answer; after 1.5 s another request, after 7 s another answer. */
const conversation = [
  up(0, { flags: 'S', options: maximumSegmentSize, window: 64_240 }),
  down(1000, { flags: 'SA', window: 500 }),
  up(2000, { flags: 'PA', payload: 100, window: 510 }),
  down(3000, { flags: 'A', payload: 300, window: 600 }),
  up(1_503_000, { flags: 'PAU', payload: 200, window: 510 }),
  down(8_503_000, { flags: 'AE', payload: 50, window: 700 }),
];

describe('a conversation', () => {
  test('fixed: all 78 columns', () => {
    const features = featuresOf('fixed', conversation);
    expect(Object.keys(features)).toHaveLength(78);
    expectFeatures(features, {
      'Destination Port': 443,
      'Flow Duration': 8_503_000,
      'Total Fwd Packets': 3,
      'Total Backward Packets': 3,
      'Total Length of Fwd Packets': 300,
      'Total Length of Bwd Packets': 350,
      'Fwd Packet Length Max': 200,
      'Fwd Packet Length Min': 0,
      'Fwd Packet Length Mean': 100,
      'Fwd Packet Length Std': 100,
      'Bwd Packet Length Max': 300,
      'Bwd Packet Length Min': 0,
      'Bwd Packet Length Mean': 350 / 3,
      'Bwd Packet Length Std': 160.7275126832159,
      'Flow Bytes/s': 650 / 8.503,
      'Flow Packets/s': 6 / 8.503,
      'Flow IAT Mean': 1_700_600,
      'Flow IAT Std': 3_032_729.842897319,
      'Flow IAT Max': 7_000_000,
      'Flow IAT Min': 1000,
      'Fwd IAT Total': 1_503_000,
      'Fwd IAT Mean': 751_500,
      'Fwd IAT Std': 1_499_000 / Math.SQRT2,
      'Fwd IAT Max': 1_501_000,
      'Fwd IAT Min': 2000,
      'Bwd IAT Total': 8_502_000,
      'Bwd IAT Mean': 4_251_000,
      'Bwd IAT Std': 8_498_000 / Math.SQRT2,
      'Bwd IAT Max': 8_500_000,
      'Bwd IAT Min': 2000,
      'Fwd PSH Flags': 2,
      'Bwd PSH Flags': 0,
      'Fwd URG Flags': 1,
      'Bwd URG Flags': 0,
      'Fwd Header Length': 64,
      'Bwd Header Length': 60,
      'Fwd Packets/s': 3 / 8.503,
      'Bwd Packets/s': 3 / 8.503,
      'Min Packet Length': 0,
      'Max Packet Length': 300,
      'Packet Length Mean': 650 / 6,
      'Packet Length Std': 120.06942436218584,
      'Packet Length Variance': 14_416.666666666666,
      'FIN Flag Count': 0,
      'SYN Flag Count': 2,
      'RST Flag Count': 0,
      'PSH Flag Count': 2,
      'ACK Flag Count': 5,
      'URG Flag Count': 1,
      'CWE Flag Count': 0,
      'ECE Flag Count': 1,
      'Down/Up Ratio': 1,
      'Average Packet Size': 650 / 6,
      'Avg Fwd Segment Size': 100,
      'Avg Bwd Segment Size': 350 / 3,
      'Fwd Header Length.1': 64,
      'Fwd Avg Bytes/Bulk': 0,
      'Fwd Avg Packets/Bulk': 0,
      'Fwd Avg Bulk Rate': 0,
      'Bwd Avg Bytes/Bulk': 0,
      'Bwd Avg Packets/Bulk': 0,
      'Bwd Avg Bulk Rate': 0,
      'Subflow Fwd Packets': 1.5,
      'Subflow Fwd Bytes': 150,
      'Subflow Bwd Packets': 1.5,
      'Subflow Bwd Bytes': 175,
      Init_Win_bytes_forward: 64_240,
      Init_Win_bytes_backward: 500,
      act_data_pkt_fwd: 2,
      min_seg_size_forward: 20,
      'Active Mean': 1_503_000,
      'Active Std': 0,
      'Active Max': 1_503_000,
      'Active Min': 1_503_000,
      'Idle Mean': 7_000_000,
      'Idle Std': 0,
      'Idle Max': 7_000_000,
      'Idle Min': 7_000_000,
    });
  });

  test('improved2022: subflows by packets, rounded down, and the last backward window', () => {
    expectFeatures(featuresOf('improved2022', conversation), {
      'Subflow Fwd Packets': 0,
      'Subflow Fwd Bytes': 50,
      'Subflow Bwd Packets': 0,
      'Subflow Bwd Bytes': 58,
      Init_Win_bytes_backward: 700,
      act_data_pkt_fwd: 2,
      'Packet Length Std': 120.06942436218584,
    });
  });

  test('cic2017: padding is payload, the first packet counts twice, flags are those of the SYN under wrong names', () => {
    expectFeatures(featuresOf('cic2017', conversation), {
      'Total Length of Fwd Packets': 302,
      'Total Length of Bwd Packets': 356,
      'Fwd Packet Length Min': 2,
      'Bwd Packet Length Min': 6,
      'Packet Length Mean': 660 / 7,
      'Packet Length Variance': 13_385.904761904761,
      'Packet Length Std': Math.sqrt(13_385.904761904761),
      'Average Packet Size': 110,
      'Fwd PSH Flags': 0,
      'Fwd URG Flags': 0,
      'SYN Flag Count': 0,
      'PSH Flag Count': 1,
      'ACK Flag Count': 0,
      'URG Flag Count': 0,
      'ECE Flag Count': 0,
      'Subflow Fwd Packets': 3,
      'Subflow Fwd Bytes': 302,
      'Subflow Bwd Packets': 3,
      'Subflow Bwd Bytes': 356,
      Init_Win_bytes_backward: 700,
      act_data_pkt_fwd: 2,
    });
  });

  test('cic2017: each column of the eight shows one bit of the first packet', () => {
    const shown: Record<string, string> = {};
    for (const flag of 'FSRPAUEC') {
      const features = featuresOf('cic2017', [up(0, { flags: flag }), down(5, { flags: 'FSRPAUEC' })]);
      for (const [name, value] of Object.entries(features))
        if (name.endsWith('Flag Count') && value === 1) shown[name] = flag;
    }
    expect(shown).toEqual({
      'FIN Flag Count': 'R',
      'SYN Flag Count': 'P',
      'RST Flag Count': 'E',
      'PSH Flag Count': 'S',
      'ACK Flag Count': 'A',
      'URG Flag Count': 'F',
      'CWE Flag Count': 'U',
      'ECE Flag Count': 'C',
    });
  });
});

describe('bulk transfers', () => {
  const data = (atUs: number, payload: number): TimedFrame => down(atUs, { flags: 'A', payload });
  const two = [
    up(0, { flags: 'A' }),
    ...[10, 10, 10, 11].map((payload, index) => data(1000 + 100 * index, payload)),
    ...[10, 10, 10, 10, 10].map((payload, index) => data(3_000_000 + 100 * index, payload)),
  ];

  test('four packets in a row make one, a gap of a second ends it', () => {
    expectFeatures(featuresOf('fixed', two), {
      'Bwd Avg Bytes/Bulk': 45.5,
      'Bwd Avg Packets/Bulk': 4.5,
      'Bwd Avg Bulk Rate': 91 / 700e-6,
      'Fwd Avg Bytes/Bulk': 0,
    });
    expectFeatures(featuresOf('improved2022', two), { 'Bwd Avg Bytes/Bulk': 45, 'Bwd Avg Packets/Bulk': 4 });
    expectFeatures(featuresOf('cic2017', two), { 'Bwd Avg Bytes/Bulk': 0, 'Bwd Avg Packets/Bulk': 0 });
  });

  test('payload of the other side interrupts, an empty packet does not', () => {
    const run = [0, 100, 200].map((atUs) => data(1000 + atUs, 10));
    const acknowledged = [up(0, { flags: 'A' }), ...run, up(1250, { flags: 'A' }), data(1300, 10)];
    expect(featuresOf('fixed', acknowledged)['Bwd Avg Packets/Bulk']).toBe(4);
    const interrupted = [up(0, { flags: 'A' }), ...run, up(1250, { flags: 'A', payload: 1 }), data(1300, 10)];
    expect(featuresOf('fixed', interrupted)['Bwd Avg Packets/Bulk']).toBe(0);
  });
});

describe('flows without duration', () => {
  const once: TimedFrame[] = [{ timeUs: startUs, frame: udpFrame(client, { payload: 30 }) }];
  const twice = [...once, { timeUs: startUs, frame: udpFrame(server, { payload: 20 }) }];

  test('fixed marks rates with -1', () => {
    expectFeatures(featuresOf('fixed', once), {
      'Flow Bytes/s': -1,
      'Flow Packets/s': -1,
      'Fwd Packets/s': 0,
      'Flow IAT Mean': 0,
      'Flow IAT Max': 0,
      Init_Win_bytes_forward: 0,
      act_data_pkt_fwd: 1,
      'Subflow Fwd Packets': 0,
    });
  });

  test('improved2022 divides by zero', () => {
    expectFeatures(featuresOf('improved2022', once), {
      'Flow Bytes/s': Infinity,
      'Flow Packets/s': Infinity,
      'Flow IAT Mean': NaN,
      'Flow IAT Min': NaN,
      act_data_pkt_fwd: 0,
      'Subflow Fwd Packets': 1,
    });
  });

  test('cic2017 divides by zero and has no windows for UDP', () => {
    expectFeatures(featuresOf('cic2017', twice), {
      'Flow Bytes/s': Infinity,
      'Flow IAT Max': 0,
      Init_Win_bytes_forward: -1,
      Init_Win_bytes_backward: -1,
      act_data_pkt_fwd: 0,
      'Down/Up Ratio': 1,
    });
  });
});

test('down/up is a ratio, but a whole number in cic2017', () => {
  const frames = [up(0, { flags: 'A' }), up(1, { flags: 'A' }), down(2, { flags: 'A' })];
  expect(featuresOf('fixed', frames)['Down/Up Ratio']).toBe(0.5);
  expect(featuresOf('cic2017', frames)['Down/Up Ratio']).toBe(0);
});

test('the FIN that ends a flow of cic2017 closes no active period', () => {
  const frames = [up(0, { flags: 'A' }), up(1000, { flags: 'A' }), up(7_000_000, { flags: 'FA' })];
  expect(featuresOf('cic2017', frames)['Idle Max']).toBe(0);
  expect(featuresOf('fixed', frames)).toMatchObject({ 'Idle Max': 6_999_000, 'Active Max': 1000 });
});

test('turned round by its SYN+ACK, a flow has neither forward window nor forward header minimum', () => {
  const frames = [down(0, { flags: 'SA', window: 4000 }), up(100, { flags: 'A', window: 300 })];
  expectFeatures(featuresOf('fixed', frames), {
    'Destination Port': 443,
    Init_Win_bytes_forward: 0,
    Init_Win_bytes_backward: 4000,
    min_seg_size_forward: 0,
    'Fwd Header Length': 20,
  });
});
