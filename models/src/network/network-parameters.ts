/** The numbers that training changes: their order within the flat vector, and how they start. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { surroundingsWidth } from './surroundings.ts';

export const classCount = trafficClasses.length;
/** The 78 features, one more that says whether a flow stands in the slot at all, and what surrounds it. */
export const inputWidth = featureCount + 1 + surroundingsWidth;
/** Between that and the embedding. */
export const firstWidth = 64;
/** What a flow becomes on its own. */
export const embeddingWidth = 32;
/** What a flow becomes beside its neighbours. */
export const channels = 32;
export const kernel = 3;
export const hidden = 32;
export const headWidth = 48;
export const attackCount = classCount - 1;
/** LSTM state; largest, mean and attended embedding; largest and mean suspicion of each attack. */
export const summaryWidth = hidden + 3 * embeddingWidth + 2 * attackCount;

/** Gate order within the LSTM: input, output, forget, cell, as ONNX has it. */
export const parameterShapes = {
  firstWeight: [inputWidth, firstWidth],
  firstBias: [firstWidth],
  embeddingWeight: [firstWidth, embeddingWidth],
  embeddingBias: [embeddingWidth],
  convWeight: [kernel * embeddingWidth, channels],
  convBias: [channels],
  lstmInput: [channels, 4 * hidden],
  lstmRecurrent: [hidden, 4 * hidden],
  lstmBias: [4 * hidden],
  attentionWeight: [embeddingWidth, 1],
  flowWeight: [embeddingWidth + channels, classCount],
  flowBias: [classCount],
  headWeight: [summaryWidth, headWidth],
  headBias: [headWidth],
  classWeight: [headWidth, classCount],
  classBias: [classCount],
} as const;
export type ParameterName = keyof typeof parameterShapes;
export const parameterNames = Object.keys(parameterShapes) as ParameterName[];

export const parameterCount = parameterNames.reduce((sum, name) => sum + parameterSize(name), 0);

export function parameterSize(name: ParameterName): number {
  return parameterShapes[name].reduce((product: number, size) => product * size, 1);
}

/** Glorot-uniform weights, zero biases, forget gates open. */
export function initialParameters(random: () => number): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(parameterCount);
  let at = 0;
  for (const name of parameterNames) {
    const shape: readonly number[] = parameterShapes[name];
    const limit = shape.length === 2 ? Math.sqrt(6 / (shape[0]! + shape[1]!)) : 0;
    for (let index = 0; index < parameterSize(name); index++, at++) {
      const forgetBias = name === 'lstmBias' && index >= 2 * hidden && index < 3 * hidden;
      flat[at] = forgetBias ? 1 : (2 * random() - 1) * limit;
    }
  }
  return flat;
}

/** Views into the flat vector. */
export function cutParameters(flat: Float32Array): Record<ParameterName, Float32Array> {
  let at = 0;
  const cut = parameterNames.map((name) => [name, flat.subarray(at, (at += parameterSize(name)))] as const);
  return Object.fromEntries(cut) as Record<ParameterName, Float32Array>;
}
