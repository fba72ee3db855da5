/** The standardisation that stands inside the graphs: measured on training flows only. */
import { featureCount } from '@picket/shared/features/feature-schema';
import type { Dataset } from '../dataset/flow-rows.ts';
import { clipLimit } from './prepare-windows.ts';
import type { Scaler } from './prepare-windows.ts';

/**
 * Features that the network does not see. Bulk, subflow, the later backward window and the count of forward data
 * packets mean different things in different builds of the meter; the forward window and the smallest header tell the
 * operating system of the lab's attacker rather than what it does. The number of the destination port, which names the
 * attacked service in every lab and nothing elsewhere, is not seen either: its column holds how much of the window goes
 * to the same port.
 */
export const maskedFeatures: readonly number[] = [56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69];

/** Below this spread a feature is as good as constant, and dividing by it would only blow up noise. */
const smallestSpread = 0.05;
/** Share of the training flows that may lie above the ceiling, and the room that is left above it. */
const aboveCeiling = 0.001;
const headroom = 0.25;
/** As many rows show where the ceiling is as well as all do. */
const mostSorted = 20_000;

/** Over training flows, benign and attack weighing the same. `typical` is the mean flow as raw values. */
export function scalerOf(
  { rows, sequences }: Dataset,
  masked: readonly number[],
): { readonly scaler: Scaler; readonly typical: Float32Array } {
  const used = new Uint8Array(rows.count);
  for (const { part, windows } of sequences) {
    if (part === 'train') for (const number of windows) if (number >= 0) used[number] = 1;
  }
  let benign = 0;
  let attack = 0;
  for (let row = 0; row < rows.count; row++) {
    if (used[row] === 0) continue;
    if (rows.classes[row] === 0) benign += 1;
    else attack += 1;
  }
  const weights = Float64Array.from(used, (is, row) =>
    is === 0 ? 0 : 1 / (rows.classes[row] === 0 ? benign : attack),
  );
  const scaler = fitScaler(rows.features, weights, masked);
  return { scaler, typical: scaler.mean.map((value) => Math.expm1(value)) };
}

/** `features` is rows × 78; `weights` says how much each row counts. */
export function fitScaler(features: Float32Array, weights: ArrayLike<number>, masked: readonly number[]): Scaler {
  const sum = new Float64Array(featureCount);
  const squares = new Float64Array(featureCount);
  const used: number[] = [];
  let total = 0;
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row]!;
    if (weight === 0) continue;
    used.push(row);
    total += weight;
    for (let column = 0; column < featureCount; column++) {
      const value = logarithm(features[row * featureCount + column]!);
      sum[column]! += weight * value;
      squares[column]! += weight * value * value;
    }
  }
  const mean = Float32Array.from(sum, (value) => value / total);
  const scale = Float32Array.from(squares, (value, column) => {
    if (masked.includes(column)) return 0;
    const spread = Math.sqrt(Math.max(0, value / total - (sum[column]! / total) ** 2));
    return 1 / Math.max(spread, smallestSpread);
  });
  const stride = Math.max(1, Math.floor(used.length / mostSorted));
  const ceiling = Float32Array.from({ length: featureCount }, (_, column) => {
    const values = Float32Array.from({ length: Math.floor(used.length / stride) }, (_value, index) =>
      logarithm(features[used[index * stride]! * featureCount + column]!),
    ).sort();
    const high = values[Math.floor((values.length - 1) * (1 - aboveCeiling))] ?? 0;
    return Math.min(clipLimit, (high - mean[column]!) * scale[column]! + headroom);
  });
  return { mean, scale, ceiling };
}

function logarithm(value: number): number {
  return Math.log1p(Math.max(0, value));
}
