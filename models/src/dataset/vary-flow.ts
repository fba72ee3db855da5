/**
 * The same conversation over another link, with other words, or measured with a blind eye: how training flows are
 * varied so that the network does not learn the machine that they were made on.
 */
import { featureCount, featureNames, features } from '@picket/shared/features/feature-schema';

const timeColumns = features.flatMap(({ unit }, column) => (unit === 'us' ? [column] : []));
const rateColumns = features.flatMap(({ unit }, column) => (unit.endsWith('/s') ? [column] : []));
const headerColumns = namesMatching(/Header Length/);

/** Columns that are hidden together: each such group could be a mark of one lab. */
export const hideableGroups: readonly (readonly number[])[] = [
  namesMatching(/^(Active|Idle) /),
  namesMatching(/^Fwd IAT /),
  namesMatching(/^Bwd IAT /),
  namesMatching(/^Flow IAT /),
  headerColumns,
  rateColumns,
  [column('Flow Duration')],
  namesMatching(/ Flags?( Count)?$/),
  namesMatching(/(Length|Segment|Packet) ?(Size)? ?(Std|Variance)$/),
  namesMatching(/Packet Length Min$|^Min Packet Length/),
  namesMatching(/^Bwd Packet Length /),
  namesMatching(/^Fwd Packet Length /),
];

const scaledForward = ['Total Length of Fwd Packets', 'Avg Fwd Segment Size', ...lengthsOf('Fwd')].map(column);
const scaledBackward = ['Total Length of Bwd Packets', 'Avg Bwd Segment Size', ...lengthsOf('Bwd')].map(column);
const forwardPackets = column('Total Fwd Packets');
const backwardPackets = column('Total Backward Packets');
const forwardBytes = column('Total Length of Fwd Packets');
const backwardBytes = column('Total Length of Bwd Packets');
const forwardMean = column('Fwd Packet Length Mean');
const backwardMean = column('Bwd Packet Length Mean');
const forwardStd = column('Fwd Packet Length Std');
const backwardStd = column('Bwd Packet Length Std');
const forwardMax = column('Fwd Packet Length Max');
const backwardMax = column('Bwd Packet Length Max');
const forwardMin = column('Fwd Packet Length Min');
const backwardMin = column('Bwd Packet Length Min');
const lengthMax = column('Max Packet Length');
const lengthMin = column('Min Packet Length');
const lengthMean = column('Packet Length Mean');
const lengthStd = column('Packet Length Std');
const lengthVariance = column('Packet Length Variance');
const averageSize = column('Average Packet Size');
const bytesPerSecond = column('Flow Bytes/s');

/** The same conversation over a link that takes `factor` times as long. */
export function retime(values: Float32Array, offset: number, factor: number): void {
  for (const at of timeColumns) values[offset + at]! *= factor;
  for (const at of rateColumns) values[offset + at]! /= factor;
}

/** Payloads `forward` and `backward` times as long; what follows from them is computed anew. */
export function resize(values: Float32Array, offset: number, forward: number, backward: number): void {
  const before = values[offset + forwardBytes]! + values[offset + backwardBytes]!;
  for (const at of scaledForward) values[offset + at]! *= forward;
  for (const at of scaledBackward) values[offset + at]! *= backward;
  const there = values[offset + forwardPackets]!;
  const back = values[offset + backwardPackets]!;
  const bytes = values[offset + forwardBytes]! + values[offset + backwardBytes]!;
  const packets = there + back;
  if (packets === 0 || before === 0) return;
  const mean = bytes / packets;
  const squares =
    Math.max(0, there - 1) * values[offset + forwardStd]! ** 2 +
    there * values[offset + forwardMean]! ** 2 +
    Math.max(0, back - 1) * values[offset + backwardStd]! ** 2 +
    back * values[offset + backwardMean]! ** 2;
  const variance = packets < 2 ? 0 : Math.max(0, squares - packets * mean * mean) / (packets - 1);
  values[offset + lengthMax] = Math.max(values[offset + forwardMax]!, values[offset + backwardMax]!);
  values[offset + lengthMin] =
    there > 0 && back > 0
      ? Math.min(values[offset + forwardMin]!, values[offset + backwardMin]!)
      : values[offset + forwardMin]! + values[offset + backwardMin]!;
  values[offset + lengthMean] = mean;
  values[offset + averageSize] = mean;
  values[offset + lengthVariance] = variance;
  values[offset + lengthStd] = Math.sqrt(variance);
  values[offset + bytesPerSecond]! *= bytes / before;
}

/** Another operating system: more or fewer options in each header. */
export function changeHeaders(values: Float32Array, offset: number, factor: number): void {
  for (const at of headerColumns) values[offset + at]! *= factor;
}

/** These columns tell nothing: they hold what is typical. `typical` is one value per feature, raw. */
export function hide(values: Float32Array, offset: number, columns: readonly number[], typical: Float32Array): void {
  for (const at of columns) values[offset + at] = typical[at]!;
}

function column(name: string): number {
  const at = featureNames.indexOf(name);
  if (at < 0 || at >= featureCount) throw new Error(`no feature ${name}`);
  return at;
}

function namesMatching(pattern: RegExp): number[] {
  return featureNames.flatMap((name, at) => (pattern.test(name) ? [at] : []));
}

function lengthsOf(direction: 'Fwd' | 'Bwd'): string[] {
  return ['Max', 'Min', 'Mean', 'Std'].map((figure) => `${direction} Packet Length ${figure}`);
}
