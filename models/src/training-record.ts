/** What `train` leaves behind and `evaluate` and `build` start from: weights, scaler, and how they came about. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { featureCount } from '@picket/shared/features/feature-schema';
import { TrafficClass } from '@picket/shared/features/traffic-classes';
import { z } from 'zod';
import { DataDescription } from './data-description.ts';
import type { TrainedNetwork } from './network/cnn-lstm.ts';
import { parameterCount } from './network/network-parameters.ts';

const fileName = 'training.json';

const TrainingRecord = z.strictObject({
  seed: z.int(),
  /** Sources and how many windows of each part they gave. */
  data: z.array(DataDescription),
  /** SHA-256 over flows, labels and windows of the training and validation parts. */
  data_fingerprint: z.string(),
  /** Of which nothing was learnt from or tuned on, to see what a network makes of a class that it never met. */
  left_out_classes: z.array(TrafficClass).default([]),
  /** Sources that the trained network went on with, and how many windows of each; the fingerprint is of what it had before. */
  tuned_to: z
    .array(
      z.strictObject({
        source: z.string(),
        windows: z.int(),
        /** Whether its test part is apart from what was gone on with. */
        is_split: z.boolean(),
        /** What draws the share and the batches; the record's own is the training's. */
        seed: z.int(),
        /** Of the source's labelled windows, to take from. */
        share: z.number(),
        /** Of each batch: windows of what it was trained on. */
        old: z.number(),
        epochs: z.int(),
        steps_per_epoch: z.int(),
        learning_rate: z.number(),
      }),
    )
    .default([]),
  epochs: z.array(z.strictObject({ epoch: z.int(), loss: z.number(), validation_recall: z.number() })),
  best_epoch: z.int(),
  threshold: z.number(),
  /** Why this one, for the card. */
  threshold_reason: z.string(),
  temperature: z.number(),
  /** Added to each attack's logit after that; older records have none. */
  offset: z.number().default(0),
  masked_features: z.array(z.int()),
  design: z.strictObject({
    recurrence: z.boolean(),
    neighbours: z.boolean(),
    pooling: z.boolean(),
    attention: z.boolean(),
    suspicion: z.boolean(),
    surroundings: z.boolean(),
    familiarity: z.boolean(),
  }),
  mean: z.base64(),
  scale: z.base64(),
  ceiling: z.base64(),
  parameters: z.base64(),
});
export type TrainingRecord = z.infer<typeof TrainingRecord>;

export function writeTrainingRecord(folder: string, record: TrainingRecord): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, fileName), `${JSON.stringify(record, undefined, 1)}\n`);
}

/** Throws with the file and the member that is wrong. */
export function readTrainingRecord(folder: string): TrainingRecord {
  const path = join(folder, fileName);
  if (!existsSync(path)) throw new Error(`${folder} holds no trained network: models -- train --out ${folder}`);
  const parsed = TrainingRecord.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function networkOf(record: TrainingRecord): TrainedNetwork {
  return {
    scaler: {
      mean: unpack(record.mean, featureCount),
      scale: unpack(record.scale, featureCount),
      ceiling: unpack(record.ceiling, featureCount),
    },
    parameters: unpack(record.parameters, parameterCount),
    calibration: { temperature: record.temperature, offset: record.offset },
    design: record.design,
  };
}

/** Little-endian float32 in base64. */
export function pack(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

export function unpack(text: string, length: number): Float32Array<ArrayBuffer> {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 4 * length)
    throw new Error(`the training record is of another network: ${bytes.length / 4} numbers where ${length} belong`);
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
