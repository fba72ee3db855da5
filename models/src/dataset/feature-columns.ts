/** Where the features that packs are guessed from stand in a row: names of the feature schema, put together by what they tell. */
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';

/** Of values of which nothing else is kept. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
  readonly max: number;
  readonly min: number;
}

/** Times between packets; the total is that of all gaps. */
export interface Gaps extends Spread {
  readonly total: number;
}

/** Of packets that go one way. */
export interface Way {
  readonly packets: number;
  /** Payload, as the lengths are. */
  readonly bytes: number;
  readonly length: Spread;
  readonly gap: Gaps;
  readonly psh: number;
  readonly urg: number;
  readonly headerBytes: number;
  readonly packetsPerSecond: number;
  readonly segment: number;
  readonly bulkBytes: number;
  readonly bulkPackets: number;
  readonly bulkRate: number;
  readonly subflowPackets: number;
  readonly subflowBytes: number;
  readonly initialWindow: number;
}

/** Throws where no feature is called so. */
function columnOf(name: string): number {
  const column = featureNames.indexOf(name);
  if (column < 0) throw new Error(`no feature is called ${name}`);
  return column;
}

const spreadOf = (name: string): Spread => ({
  mean: columnOf(`${name} Mean`),
  deviation: columnOf(`${name} Std`),
  max: columnOf(`${name} Max`),
  min: columnOf(`${name} Min`),
});

function wayOf(short: 'Fwd' | 'Bwd', packets: string, initialWindow: string): Way {
  return {
    packets: columnOf(packets),
    bytes: columnOf(`Total Length of ${short} Packets`),
    length: spreadOf(`${short} Packet Length`),
    gap: { total: columnOf(`${short} IAT Total`), ...spreadOf(`${short} IAT`) },
    psh: columnOf(`${short} PSH Flags`),
    urg: columnOf(`${short} URG Flags`),
    headerBytes: columnOf(`${short} Header Length`),
    packetsPerSecond: columnOf(`${short} Packets/s`),
    segment: columnOf(`Avg ${short} Segment Size`),
    bulkBytes: columnOf(`${short} Avg Bytes/Bulk`),
    bulkPackets: columnOf(`${short} Avg Packets/Bulk`),
    bulkRate: columnOf(`${short} Avg Bulk Rate`),
    subflowPackets: columnOf(`Subflow ${short} Packets`),
    subflowBytes: columnOf(`Subflow ${short} Bytes`),
    initialWindow: columnOf(initialWindow),
  };
}

export const forward = wayOf('Fwd', 'Total Fwd Packets', 'Init_Win_bytes_forward');
export const backward = wayOf('Bwd', 'Total Backward Packets', 'Init_Win_bytes_backward');

const duration = columnOf('Flow Duration');
export const flow = {
  port: columnOf('Destination Port'),
  duration,
  bytesPerSecond: columnOf('Flow Bytes/s'),
  packetsPerSecond: columnOf('Flow Packets/s'),
  gap: { total: duration, ...spreadOf('Flow IAT') },
  minLength: columnOf('Min Packet Length'),
  maxLength: columnOf('Max Packet Length'),
  meanLength: columnOf('Packet Length Mean'),
  deviationOfLength: columnOf('Packet Length Std'),
  varianceOfLength: columnOf('Packet Length Variance'),
  fin: columnOf('FIN Flag Count'),
  syn: columnOf('SYN Flag Count'),
  rst: columnOf('RST Flag Count'),
  psh: columnOf('PSH Flag Count'),
  ack: columnOf('ACK Flag Count'),
  urg: columnOf('URG Flag Count'),
  cwr: columnOf('CWE Flag Count'),
  ece: columnOf('ECE Flag Count'),
  downPerUp: columnOf('Down/Up Ratio'),
  packetSize: columnOf('Average Packet Size'),
  forwardHeaderBytesAgain: columnOf('Fwd Header Length.1'),
  forwardDataPackets: columnOf('act_data_pkt_fwd'),
  forwardMinSegment: columnOf('min_seg_size_forward'),
  active: spreadOf('Active'),
  idle: spreadOf('Idle'),
};

/** Two columns behind those of the features: what port and times of the row say. */
export const keyFeatures = { port: featureCount, duration: featureCount + 1 } as const;
