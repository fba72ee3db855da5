/** The standardisation that stands inside the graphs: measured on training flows only. */
import { featureCount } from '@picket/shared/features/feature-schema';
import type { Scaler } from './cnn-lstm.ts';

/**
 * Features that the network does not see. The destination port names the attacked service in every lab and nothing
 * elsewhere; bulk, subflow, the later backward window and the count of forward data packets mean different things in
 * different builds of the meter; the forward window and the smallest header tell the operating system of the lab's
 * attacker rather than what it does.
 */
export const maskedFeatures: readonly number[] = [0, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69];

/** Below this spread a feature is as good as constant, and dividing by it would only blow up noise. */
const smallestSpread = 0.05;

/** `features` is rows × 78; `weights` says how much each row counts. */
export function fitScaler(features: Float32Array, weights: ArrayLike<number>): Scaler {
  const sum = new Float64Array(featureCount);
  const squares = new Float64Array(featureCount);
  let total = 0;
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row]!;
    if (weight === 0) continue;
    total += weight;
    for (let column = 0; column < featureCount; column++) {
      const value = Math.log1p(Math.max(0, features[row * featureCount + column]!));
      sum[column]! += weight * value;
      squares[column]! += weight * value * value;
    }
  }
  const mean = Float32Array.from(sum, (value) => value / total);
  const scale = Float32Array.from(squares, (value, column) => {
    if (maskedFeatures.includes(column)) return 0;
    const spread = Math.sqrt(Math.max(0, value / total - (sum[column]! / total) ** 2));
    return 1 / Math.max(spread, smallestSpread);
  });
  return { mean, scale };
}
