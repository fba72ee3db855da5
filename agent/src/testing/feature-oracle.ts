/** What must hold of the 78 numbers of any flow, by profile: their shape, signs, and each minimum ≤ mean ≤ maximum. */
import type { FeatureProfile } from '@picket/shared/features/feature-profile';
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import type { FlowBatch } from '../features/flow-batch.ts';
import { holds } from './oracle.ts';

const column = Object.fromEntries(featureNames.map((name, index) => [name, index]));

function at(name: string): number {
  const index = column[name];
  if (index === undefined) throw new Error(`no feature is named "${name}"`);
  return index;
}

const rates = new Set([at('Flow Bytes/s'), at('Flow Packets/s')]);
const flowIats = new Set(['Mean', 'Std', 'Max', 'Min'].map((part) => at(`Flow IAT ${part}`)));
const forwardPackets = at('Total Fwd Packets');
const backwardPackets = at('Total Backward Packets');
const duration = at('Flow Duration');

/** Minimum, mean, maximum. */
const triples = [
  ['Min Packet Length', 'Packet Length Mean', 'Max Packet Length'],
  ...['Fwd Packet Length', 'Bwd Packet Length', 'Flow IAT', 'Fwd IAT', 'Bwd IAT', 'Active', 'Idle'].map((name) =>
    ['Min', 'Mean', 'Max'].map((part) => `${name} ${part}`),
  ),
].map((names) => names.map(at) as [number, number, number]);

/** Whole numbers of packets, bytes or flags: never negative, whatever the clock did. */
const counts = featureNames.flatMap((name, index) =>
  /^Total |Flag|Header Length|^Subflow|Packet Length (?:Max|Min)$|Packet Length$|Std$|Variance$|^Active Max|^Idle Max|act_data/.test(
    name,
  )
    ? [index]
    : [],
);

/** Times count backwards in the reference meters where packets did; live they never do. */
const times = featureNames.flatMap((name, index) => (/Duration$|IAT|Packets\/s$/.test(name) ? [index] : []));

/** Check row `row` of a batch; returns the packets of the flow. */
export function checkFeatures(batch: FlowBatch, row: number, profile: FeatureProfile, isClamped: boolean): number {
  const values = batch.features.subarray(row * featureCount, (row + 1) * featureCount);
  const packets = values[forwardPackets]! + values[backwardPackets]!;
  const text = (index: number): string =>
    `${profile} ${featureNames[index]} = ${values[index]} (packets ${packets}, duration ${values[duration]})`;
  holds('packets-positive', Number.isInteger(packets) && packets > 0, () => `${profile}: ${packets} packets`);
  checkShape(values, packets, profile, text);
  for (const index of counts) holds('count-not-negative', !(values[index]! < 0), () => text(index));
  const unknownRate = profile === 'fixed' ? -1 : 0;
  for (const index of isClamped ? times : []) {
    const least = values[duration] === 0 && rates.has(index) ? unknownRate : 0;
    holds('time-not-negative', !(values[index]! < least), () => text(index));
  }
  for (const [least, mean, most] of triples) {
    if (Number.isNaN(values[mean]!)) continue;
    const slack = 1e-9 * Math.max(1, Math.abs(values[least]!), Math.abs(values[most]!));
    const ordered = values[least]! <= values[mean]! + slack && values[mean]! <= values[most]! + slack;
    holds('min-mean-max', ordered, () => `${text(least)}, ${text(mean)}, ${text(most)}`);
  }
  const spanUs = batch.lastPacketAtUs[row]! - batch.startedAtUs[row]!;
  holds('duration', values[duration] === spanUs, () => `${text(duration)}, times say ${spanUs}`);
  return packets;
}

/** NaN and infinities where the profile has them, and nowhere else. */
function checkShape(
  values: Float64Array,
  packets: number,
  profile: FeatureProfile,
  text: (index: number) => string,
): void {
  for (let index = 0; index < featureCount; index++) {
    const value = values[index]!;
    const noRate = profile !== 'fixed' && values[duration] === 0 && rates.has(index);
    const noGap = profile === 'improved2022' && packets === 1 && flowIats.has(index);
    if (noGap) holds('shape', Number.isNaN(value), () => text(index));
    else if (noRate) holds('shape', !Number.isFinite(value), () => text(index));
    else holds('shape', Number.isFinite(value), () => text(index));
  }
}
