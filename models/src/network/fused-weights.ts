/**
 * The parameters as `fused-forward.ts` wants them. Whatever is linear became part of a matrix beside it: the scaler is in
 * the first layer's weights, masks are a channel that says that no flow stands in a slot, and parts of the network that
 * are left out have weights of 0.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { gateOfAbsence } from './cnn-lstm.ts';
import type { Calibration, NetworkDesign } from './cnn-lstm.ts';
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
import {
  absentColumn,
  placeMap,
  placeWidth,
  presentColumn,
  surroundingsUsed,
  surroundingsWidth,
} from './surroundings.ts';

export type Values = Readonly<Record<ParameterName, Float32Array>>;

/** The embedding, 1 in a channel of its own where no flow stands, and 1 everywhere, on which the biases of what follows stand. */
export const wideEmbedding = embeddingWidth + 2;
const [absentChannel, constantChannel] = [embeddingWidth, embeddingWidth + 1] as const;
/** The head, and 1. */
export const wideHead = headWidth + 1;
/** What is pooled over flows: the embedding, and what each flow is held to be. */
export const pooledWidth = wideEmbedding + classCount;

/** Pushes below 0 whatever sum it is added to. */
const overwhelming = -1e9;
/** Added to the attention of a slot without a flow, and to each attack that it could be suspected of. */
const unheard = -60;

/** Of standardised features, the port's column included: [78, 64]. */
export function featureWeight({ firstWeight }: Values): Matrix {
  return new Matrix(featureCount, firstWidth, firstWeight.subarray(0, featureCount * firstWidth));
}

export interface RaisedFeatures {
  /** Undefined where no feature can be below it: every logarithm is 0 at least. */
  readonly lowest: readonly number[] | undefined;
  readonly highest: readonly number[];
  /** [78, 64]; nothing for the port: in its place stands something else. */
  readonly weight: Matrix;
  /** [64] */
  readonly offset: Float64Array;
}

/**
 * A standardised value is max(−4, min(4, ceiling, (logarithm − mean) × scale)). With its scale and its lower end in the
 * weights it is max(0, min(`highest`, logarithm) − `lowest`); the − 4 of all add up to `offset`. Where no lower end is
 * above 0 it is min(`highest`, logarithm), and the lower ends are in `offset` too.
 */
export function raisedFeatures({ mean, scale, ceiling }: Scaler, { firstWeight }: Values): RaisedFeatures {
  const isUsed = (column: number): boolean => scale[column]! > 0;
  const lowest = Array.from(mean, (value, column) => (isUsed(column) ? value - clipLimit / scale[column]! : 0));
  const highest = Array.from(mean, (value, column) =>
    isUsed(column) ? value + Math.min(clipLimit, ceiling[column]!) / scale[column]! : 0,
  );
  const saturatesBelow = lowest.some((value) => value > 0);
  const weight = new Matrix(featureCount, firstWidth);
  const offset = new Float64Array(firstWidth);
  for (let column = 1; column < featureCount; column++) {
    const bottom = isUsed(column) ? -clipLimit : Math.max(-clipLimit, Math.min(0, ceiling[column]!));
    const lift = saturatesBelow ? 0 : lowest[column]! * scale[column]!;
    for (let unit = 0; unit < firstWidth; unit++) {
      const value = firstWeight[column * firstWidth + unit]!;
      weight.put(column, unit, value * scale[column]!);
      offset[unit]! += (bottom - lift) * value;
    }
  }
  return { lowest: saturatesBelow ? lowest : undefined, highest, weight, offset };
}

/** From places to the first layer, its bias and `offset` included: [22, 64]. */
export function placeWeight(
  { firstWeight, firstBias }: Values,
  design: NetworkDesign,
  { samePort, offset }: { readonly samePort: boolean; readonly offset?: Float64Array },
): Matrix {
  const rows = new Matrix(firstWeight.length / firstWidth, firstWidth, firstWeight);
  const seen = new Matrix(2 + surroundingsWidth, firstWidth);
  if (samePort) seen.set(0, 0, rows.cut(0, 1));
  for (let unit = 0; unit < firstWidth; unit++)
    seen.put(1, unit, rows.get(featureCount, unit) + firstBias[unit]! + (offset?.[unit] ?? 0));
  for (const [at, used] of surroundingsUsed(design).entries())
    if (used === 1) seen.set(2 + at, 0, rows.cut(featureCount + 1 + at, 1));
  return placeMap().times(seen);
}

/** From the first layer to the embedding: [64, 34]. */
export function wideEmbeddingWeight({ embeddingWeight }: Values): Matrix {
  return new Matrix(firstWidth, wideEmbedding).set(0, 0, new Matrix(firstWidth, embeddingWidth, embeddingWeight));
}

/** From places to the embedding: its bias where a flow stands, and nothing but the last channels where none does: [22, 34]. */
export function maskWeight({ embeddingBias }: Values): Matrix {
  const weight = new Matrix(placeWidth, wideEmbedding).set(
    presentColumn,
    0,
    new Matrix(1, embeddingWidth, embeddingBias),
  );
  for (let channel = 0; channel < embeddingWidth; channel++) weight.put(absentColumn, channel, overwhelming);
  weight.put(absentColumn, absentChannel, 1);
  for (const row of [presentColumn, absentColumn]) weight.put(row, constantChannel, 1);
  return weight;
}

/** All taps side by side: [34, 3 × 34]. The last channels pass through. */
export function tapWeight({ convWeight, convBias }: Values, design: NetworkDesign): Matrix {
  const rows = new Matrix(kernel * embeddingWidth, channels, convWeight);
  const weight = new Matrix(wideEmbedding, kernel * wideEmbedding);
  for (let tap = 0; tap < kernel; tap++)
    if (design.neighbours || tap === 1)
      weight.set(0, tap * wideEmbedding, rows.cut(tap * embeddingWidth, embeddingWidth));
  weight.set(constantChannel, wideEmbedding, new Matrix(1, channels, convBias));
  for (const channel of [absentChannel, constantChannel]) weight.put(channel, wideEmbedding + channel, 1);
  return weight;
}

/** The same for the Conv operator: outputs × inputs × taps, 34 × 34 × 3. */
export function convKernel(values: Values, design: NetworkDesign): Float32Array {
  const taps = tapWeight(values, design);
  const weights = new Float32Array(wideEmbedding * wideEmbedding * kernel);
  let at = 0;
  for (let output = 0; output < wideEmbedding; output++)
    for (let input = 0; input < wideEmbedding; input++)
      for (let tap = 0; tap < kernel; tap++) weights[at++] = taps.get(input, tap * wideEmbedding + output);
  return weights;
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

/** Of the LSTM, gates by inputs: [128, 34]; an empty slot closes the input gate. */
export function lstmInputWeight({ lstmInput, lstmBias }: Values): Matrix {
  return new Matrix(wideEmbedding, 4 * hidden)
    .set(0, 0, new Matrix(channels, 4 * hidden, lstmInput))
    .set(absentChannel, 0, new Matrix(1, 4 * hidden, gateOfAbsence()))
    .set(constantChannel, 0, new Matrix(1, 4 * hidden, lstmBias))
    .transposed();
}

export function lstmRecurrentWeight({ lstmRecurrent }: Values): Matrix {
  return new Matrix(hidden, 4 * hidden, lstmRecurrent).transposed();
}

/** From embedding and convolution to the logits of a flow, and how much it is attended to: [68, 12]. */
export function judgingWeight({ flowWeight, flowBias, attentionWeight }: Values): Matrix {
  const rows = new Matrix(embeddingWidth + channels, classCount, flowWeight);
  const weight = new Matrix(2 * wideEmbedding, classCount + 1)
    .set(0, 0, rows.cut(0, embeddingWidth))
    .set(wideEmbedding, 0, rows.cut(embeddingWidth, channels))
    .set(0, classCount, new Matrix(embeddingWidth, 1, attentionWeight))
    .set(constantChannel, 0, new Matrix(1, classCount, flowBias));
  for (let column = 1; column <= classCount; column++) weight.put(absentChannel, column, unheard);
  return weight;
}

/** From LSTM state, largest, attended and mean of what is pooled to the head: [32 + 3 × 45, 49]. */
export function summaryWeight({ headWeight, headBias }: Values, design: NetworkDesign): Matrix {
  const rows = new Matrix(headWeight.length / headWidth, headWidth, headWeight);
  const weight = new Matrix(hidden + 3 * pooledWidth, wideHead);
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
  weight.set(largest + constantChannel, 0, new Matrix(1, headWidth, headBias));
  weight.put(largest + constantChannel, headWidth, 1);
  return weight;
}

/** From the head to logits, calibrated: [49, 11]. */
export function logitWeight({ classWeight, classBias }: Values, { temperature, offset }: Calibration): Matrix {
  const weights = classWeight.map((value) => value / temperature);
  const biases = classBias.map((value, index) => value / temperature + (index === 0 ? 0 : offset));
  return new Matrix(wideHead, classCount, Float32Array.of(...weights, ...biases));
}
