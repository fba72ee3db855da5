import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize } from '@picket/shared/features/flow-context';
import { expect, test } from 'vitest';
import { seededRandom } from '../dataset/seeded-random.ts';
import { Adversary } from './adversary.ts';
import { buildDetectGraph } from './bundle-graphs.ts';
import { uncalibrated, wholeDesign } from './cnn-lstm.ts';
import { classCount, initialParameters } from './network-parameters.ts';
import { buildPerturbGraph, raisableFeatures } from './perturb-graph.ts';
import { scoreWindows } from './scorer.ts';

const random = seededRandom(11);
const count = 40;
const scaler = {
  mean: new Float32Array(featureCount).fill(4),
  scale: new Float32Array(featureCount).fill(0.4),
  ceiling: new Float32Array(featureCount).fill(4),
};
const network = { scaler, parameters: initialParameters(random), calibration: uncalibrated, design: wholeDesign };
const block = {
  count,
  windows: new Float32Array(count * windowLength * featureCount),
  flowsSeen: Float32Array.from({ length: count }, () => 1 + Math.floor(10 * random())),
  flowContext: Float32Array.from({ length: count * flowContextSize }, () => Math.floor(3 * random())),
  labels: Uint8Array.from({ length: count }, (_, index) => 1 + (index % (classCount - 1))),
};
for (let window = 0; window < count; window++) {
  for (let slot = windowLength - block.flowsSeen[window]!; slot < windowLength; slot++) {
    block.windows.set(someFlow(), (window * windowLength + slot) * featureCount);
  }
}

/** A flow as a meter could have measured it: lengths and pauses drawn, everything else computed from them. */
function someFlow(): Float32Array {
  const packets = [1, 1, 2, 5, 30][Math.floor(5 * random())]!;
  const back = Math.floor(packets * random());
  const lengths = Array.from({ length: packets }, () => (random() < 0.3 ? 0 : Math.floor(900 * random())));
  const answers = Array.from({ length: back }, () => Math.floor(1400 * random()));
  const pauses = Array.from({ length: packets + back - 1 }, () => 1 + Math.floor(1e5 * random()));
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const mean = (values: number[]): number => (values.length === 0 ? 0 : sum(values) / values.length);
  const deviation = (values: number[]): number =>
    values.length < 2 ? 0 : Math.sqrt(sum(values.map((value) => (value - mean(values)) ** 2)) / (values.length - 1));
  const all = [...lengths, ...answers];
  const duration = sum(pauses);
  const forwardTotal = packets > 1 ? duration : 0;
  const rate = (amount: number): number => (duration === 0 ? 0 : (amount * 1e6) / duration);
  const known: Record<string, number> = {
    'Flow Duration': duration,
    'Total Fwd Packets': packets,
    'Total Backward Packets': back,
    'Total Length of Fwd Packets': sum(lengths),
    'Total Length of Bwd Packets': sum(answers),
    'Fwd Packet Length Max': Math.max(...lengths),
    'Fwd Packet Length Min': Math.min(...lengths),
    'Fwd Packet Length Mean': mean(lengths),
    'Fwd Packet Length Std': deviation(lengths),
    'Bwd Packet Length Mean': mean(answers),
    'Bwd Packet Length Std': deviation(answers),
    'Flow Bytes/s': rate(sum(all)),
    'Flow Packets/s': rate(all.length),
    'Fwd Packets/s': rate(packets),
    'Bwd Packets/s': rate(back),
    'Flow IAT Mean': mean(pauses),
    'Flow IAT Std': deviation(pauses),
    'Flow IAT Max': Math.max(0, ...pauses),
    'Flow IAT Min': pauses.length === 0 ? 0 : Math.min(...pauses),
    'Fwd IAT Total': forwardTotal,
    'Fwd IAT Mean': packets > 1 ? forwardTotal / (packets - 1) : 0,
    'Fwd IAT Max': forwardTotal,
    'Max Packet Length': Math.max(...all),
    'Packet Length Mean': mean(all),
    'Packet Length Std': deviation(all),
    'Packet Length Variance': deviation(all) ** 2,
    'Average Packet Size': mean(all),
    'Avg Fwd Segment Size': mean(lengths),
  };
  return Float32Array.from(featureNames, (name) => known[name] ?? 0);
}

function feature(windows: Float32Array, at: number, name: string): number {
  return windows[at + featureNames.indexOf(name)]!;
}

function flowOffsets(): number[] {
  return Array.from({ length: count * windowLength }, (_, slot) => slot)
    .filter((slot) => (slot % windowLength) + block.flowsSeen[Math.floor(slot / windowLength)]! >= windowLength)
    .map((slot) => slot * featureCount);
}

test('without room nothing changes', async () => {
  await using adversary = await Adversary.open(buildPerturbGraph(network));
  const same = await adversary.perturb(block, 0);
  for (const [index, value] of same.entries()) {
    expect(Math.abs(value - block.windows[index]!), featureNames[index % featureCount]).toBeLessThanOrEqual(
      2e-3 * Math.abs(block.windows[index]!) + 0.02,
    );
  }
});

test.each([1, 8])('%i steps stay within what packets can do', async (steps) => {
  await using adversary = await Adversary.open(buildPerturbGraph(network));
  const epsilon = 0.1;
  const perturbed = await adversary.perturb(block, epsilon, steps);
  let changed = 0;
  for (const at of flowOffsets()) {
    const before = (name: string): number => feature(block.windows, at, name);
    const after = (name: string): number => feature(perturbed, at, name);
    for (const name of raisableFeatures) {
      const room = Math.expm1(Math.log1p(before(name)) + epsilon / 0.4);
      expect(after(name), name).toBeGreaterThanOrEqual(before(name) * (1 - 1e-5) - 0.01);
      // Whole bytes may round up, and a mean may push its extremes.
      expect(after(name), name).toBeLessThanOrEqual(Math.max(room * 1.001 + 1, after('Fwd Packet Length Mean') + 1));
      if (before(name) === 0) expect(after(name), name).toBeCloseTo(0, 3);
      if (after(name) > before(name) * 1.01) changed += 1;
    }
    for (const name of [
      'Total Fwd Packets',
      'Total Backward Packets',
      'Total Length of Bwd Packets',
      'SYN Flag Count',
    ]) {
      expect(after(name), name).toBe(before(name));
    }
    const packets = after('Total Fwd Packets') + after('Total Backward Packets');
    const bytes = after('Total Length of Fwd Packets') + after('Total Length of Bwd Packets');
    expect(Number.isInteger(after('Total Length of Fwd Packets'))).toBe(true);
    expect(after('Packet Length Mean')).toBeCloseTo(bytes / packets, 1);
    expect(after('Fwd Packet Length Min')).toBeLessThanOrEqual(after('Fwd Packet Length Mean') + 1e-3);
    expect(after('Fwd Packet Length Max')).toBeGreaterThanOrEqual(after('Fwd Packet Length Mean') - 1e-3);
    expect(after('Fwd IAT Total')).toBeLessThanOrEqual(after('Flow Duration') * (1 + 1e-5));
    const seconds = after('Flow Duration') / 1e6;
    if (seconds > 0) expect(after('Flow Packets/s') / (packets / seconds)).toBeCloseTo(1, 3);
    else expect(after('Flow Packets/s')).toBe(0);
  }
  expect(changed).toBeGreaterThan(100);
});

test('the network likes its windows less for what they are afterwards, and several steps hurt no less than one', async () => {
  await using adversary = await Adversary.open(buildPerturbGraph(network));
  const detect = buildDetectGraph(network);
  const loss = async (windows: Float32Array): Promise<number> => {
    const probabilities = await scoreWindows(detect, { ...block, windows });
    return block.labels.reduce((sum, label, at) => sum - Math.log(probabilities[at * classCount + label]!), 0) / count;
  };
  const before = await loss(block.windows);
  const once = await loss(await adversary.perturb(block, 0.3));
  const often = await loss(await adversary.perturb(block, 0.3, 10));
  expect(once).toBeGreaterThan(before + 0.001);
  expect(often).toBeGreaterThan(before + 0.9 * (once - before));
});

test('whoever does not want to be seen gets further than whoever only wants another name', async () => {
  await using adversary = await Adversary.open(buildPerturbGraph(network));
  const detect = buildDetectGraph(network);
  const seen = async (windows: Float32Array): Promise<number> => {
    const probabilities = await scoreWindows(detect, { ...block, windows });
    return block.labels.reduce((sum, _, at) => sum - Math.log(probabilities[at * classCount]!), 0) / count;
  };
  const before = await seen(block.windows);
  const hidden = await seen(await adversary.perturb(block, 0.3, 10, 'benign'));
  expect(hidden).toBeLessThan(before - 0.001);
  expect(hidden).toBeLessThan(await seen(await adversary.perturb(block, 0.3, 10)));
});
