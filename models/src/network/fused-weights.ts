/**
 * The parameters as `fused-forward.ts` wants them. Whatever is linear became part of a matrix beside it: the scaler is in
 * the first layer's weights, masks are a channel that says that no flow stands in a slot, and parts of the network that
 * are left out have weights of 0.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { gateOfAbsence } from './cnn-lstm.ts';
import type { NetworkDesign } from './cnn-lstm.ts';
import { Matrix } from './matrix.ts';
import {
  attackCount,
  channels,
  classCount,
  embeddingWidth,
  firstWidth,
  headWidth,
  hidden,
  kernel,
} from './network-parameters.ts';
import type { ParameterName } from './network-parameters.ts';
import { clipLimit } from './prepare-windows.ts';
import type { Scaler } from './prepare-windows.ts';
import { placeColumns, surroundingsWidth } from './surroundings.ts';

export type Values = Readonly<Record<ParameterName, Float32Array>>;

/** The embedding, and 1 in a channel of its own where no flow stands. */
export const wideEmbedding = embeddingWidth + 1;
/** What is pooled over flows: the embedding, and what each flow is held to be. */
export const pooledWidth = wideEmbedding + classCount;

/** Pushes below 0 whatever sum it is added to. */
const overwhelming = -1e9;
/** Added to the attention of a slot without a flow, and to each attack that it could be suspected of. */
const unheard = -60;
const placeWidth = Object.values(placeColumns).reduce((sum, width) => sum + width, 0);
const [samePortAt, presentAt, surroundingsAt, absentAt] = [0, 1, 2, 2 + surroundingsWidth] as const;

/** Of standardised features, the port's column included: [78, 64]. */
export function featureWeight({ firstWeight }: Values): Matrix {
  return new Matrix(featureCount, firstWidth, firstWeight.subarray(0, featureCount * firstWidth));
}

export interface RaisedFeatures {
  readonly lowest: readonly number[];
  readonly highest: readonly number[];
  /** [78, 64]; nothing for the port: in its place stands something else. */
  readonly weight: Matrix;
  /** [64] */
  readonly offset: Float64Array;
}

/**
 * A standardised value is max(−4, min(4, ceiling, (logarithm − mean) × scale)). With its scale and its lower end in the
 * weights it is max(0, min(`highest`, logarithm) − `lowest`); the − 4 of all add up to `offset`.
 */
export function raisedFeatures({ mean, scale, ceiling }: Scaler, { firstWeight }: Values): RaisedFeatures {
  const isUsed = (column: number): boolean => scale[column]! > 0;
  const lowest = Array.from(mean, (value, column) => (isUsed(column) ? value - clipLimit / scale[column]! : 0));
  const highest = Array.from(mean, (value, column) =>
    isUsed(column) ? value + Math.min(clipLimit, ceiling[column]!) / scale[column]! : 0,
  );
  const weight = new Matrix(featureCount, firstWidth);
  const offset = new Float64Array(firstWidth);
  for (let column = 1; column < featureCount; column++) {
    const bottom = isUsed(column) ? -clipLimit : Math.max(-clipLimit, Math.min(0, ceiling[column]!));
    for (let unit = 0; unit < firstWidth; unit++) {
      const value = firstWeight[column * firstWidth + unit]!;
      weight.put(column, unit, value * scale[column]!);
      offset[unit]! += bottom * value;
    }
  }
  return { lowest, highest, weight, offset };
}

/** From places to the first layer, its bias and `offset` included: [13, 64]. */
export function placeWeight(
  { firstWeight, firstBias }: Values,
  design: NetworkDesign,
  { samePort, offset }: { readonly samePort: boolean; readonly offset?: Float64Array },
): Matrix {
  const rows = new Matrix(firstWeight.length / firstWidth, firstWidth, firstWeight);
  const weight = new Matrix(placeWidth, firstWidth);
  if (samePort) weight.set(samePortAt, 0, rows.cut(0, 1));
  for (let unit = 0; unit < firstWidth; unit++)
    weight.put(presentAt, unit, rows.get(featureCount, unit) + firstBias[unit]! + (offset?.[unit] ?? 0));
  if (design.surroundings) weight.set(surroundingsAt, 0, rows.cut(featureCount + 1, surroundingsWidth));
  return weight;
}

/** From the first layer to the embedding: [64, 33]. */
export function wideEmbeddingWeight({ embeddingWeight }: Values): Matrix {
  return new Matrix(firstWidth, wideEmbedding).set(0, 0, new Matrix(firstWidth, embeddingWidth, embeddingWeight));
}

/** From places to the embedding: its bias where a flow stands, and nothing but the last channel where none does: [13, 33]. */
export function maskWeight({ embeddingBias }: Values): Matrix {
  const weight = new Matrix(placeWidth, wideEmbedding).set(presentAt, 0, new Matrix(1, embeddingWidth, embeddingBias));
  for (let channel = 0; channel < embeddingWidth; channel++) weight.put(absentAt, channel, overwhelming);
  weight.put(absentAt, embeddingWidth, 1);
  return weight;
}

/** All taps side by side: [33, 3 × 33]. The channel of empty slots passes through. */
export function tapWeight({ convWeight }: Values, design: NetworkDesign): Matrix {
  const rows = new Matrix(kernel * embeddingWidth, channels, convWeight);
  const weight = new Matrix(wideEmbedding, kernel * wideEmbedding);
  for (let tap = 0; tap < kernel; tap++)
    if (design.neighbours || tap === 1)
      weight.set(0, tap * wideEmbedding, rows.cut(tap * embeddingWidth, embeddingWidth));
  weight.put(embeddingWidth, wideEmbedding + channels, 1);
  return weight;
}

/** What each slot adds up of what the taps of all slots say: [10, 10 × 3]. */
export function neighbourSum(): Matrix {
  const sum = new Matrix(windowLength, windowLength * kernel);
  for (let slot = 0; slot < windowLength; slot++) {
    for (let tap = 0; tap < kernel; tap++) {
      const from = slot + tap - 1;
      if (from >= 0 && from < windowLength) sum.put(slot, from * kernel + tap, 1);
    }
  }
  return sum;
}

/** Of the LSTM, gates by inputs; an empty slot closes the input gate. */
export function lstmInputWeight({ lstmInput }: Values): Matrix {
  return new Matrix(channels + 1, 4 * hidden)
    .set(0, 0, new Matrix(channels, 4 * hidden, lstmInput))
    .set(channels, 0, new Matrix(1, 4 * hidden, gateOfAbsence()))
    .transposed();
}

export function lstmRecurrentWeight({ lstmRecurrent }: Values): Matrix {
  return new Matrix(hidden, 4 * hidden, lstmRecurrent).transposed();
}

/** From embedding and convolution to the logits of a flow, and how much it is attended to: [66, 12]. */
export function judgingWeight({ flowWeight, attentionWeight }: Values): Matrix {
  const rows = new Matrix(embeddingWidth + channels, classCount, flowWeight);
  const weight = new Matrix(2 * wideEmbedding, classCount + 1)
    .set(0, 0, rows.cut(0, embeddingWidth))
    .set(wideEmbedding, 0, rows.cut(embeddingWidth, channels))
    .set(0, classCount, new Matrix(embeddingWidth, 1, attentionWeight));
  for (let column = 1; column <= classCount; column++) weight.put(embeddingWidth, column, unheard);
  return weight;
}

/** From LSTM state, largest, attended and mean of what is pooled to the head: [32 + 3 × 44, 48]. */
export function summaryWeight({ headWeight }: Values, design: NetworkDesign): Matrix {
  const rows = new Matrix(headWeight.length / headWidth, headWidth, headWeight);
  const weight = new Matrix(hidden + 3 * pooledWidth, headWidth);
  let from = 0;
  const move = (isUsed: boolean, count: number, to: number): void => {
    if (isUsed) weight.set(to, 0, rows.cut(from, count));
    from += count;
  };
  const [largest, attended, mean] = [hidden, hidden + pooledWidth, hidden + 2 * pooledWidth];
  const attacks = wideEmbedding + 1;
  move(design.recurrence, hidden, 0);
  move(design.pooling, embeddingWidth, largest);
  move(design.pooling, embeddingWidth, mean);
  move(design.attention, embeddingWidth, attended);
  move(design.suspicion, attackCount, largest + attacks);
  move(design.suspicion, attackCount, mean + attacks);
  return weight;
}
