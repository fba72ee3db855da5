/**
 * The one rule that makes extracted features fit for the network, the same in training and in serving: what is not a
 * number a network can add up becomes 0, and so does a rate that the profile marks as undefined by a negative value
 * (a flow of one packet has no duration to divide by). Masking and scaling happen inside the model's graph.
 */
import { featureCount, features } from './feature-schema.ts';

/** Columns (0-based) that are a quantity per second: `Flow Bytes/s`, `Flow Packets/s`, `Fwd Packets/s` and so on. */
export const rateColumns: readonly number[] = features.flatMap((feature, column) =>
  feature.unit.endsWith('/s') ? [column] : [],
);

const isRate = new Uint8Array(featureCount);
for (const column of rateColumns) isRate[column] = 1;

/** One feature, `column` 0-based. Also 0: a value beyond the range of float32. */
export function normaliseFeature(column: number, value: number): number {
  if (!Number.isFinite(Math.fround(value))) return 0;
  return value < 0 && isRate[column] === 1 ? 0 : value;
}

/** Writes the 78 features that begin at `from[fromOffset]`, normalised, to `to` at `toOffset`. */
export function normaliseFeatures(
  from: ArrayLike<number>,
  fromOffset: number,
  to: Float32Array | Float64Array,
  toOffset: number,
): void {
  for (let column = 0; column < featureCount; column++) {
    to[toOffset + column] = normaliseFeature(column, from[fromOffset + column] ?? 0);
  }
}
