/** What `train` leaves behind and `evaluate` and `build` start from: weights, scaler, and how they came about. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { featureCount } from '@picket/shared/features/feature-schema';
import { z } from 'zod';
import { parameterCount } from './network/cnn-lstm.ts';
import type { TrainedNetwork } from './network/cnn-lstm.ts';

const fileName = 'training.json';

const TrainingRecord = z.strictObject({
  seed: z.int(),
  /** Sources and how many windows of each part they gave. */
  data: z.array(
    z.strictObject({ source: z.string(), part: z.string(), groups: z.array(z.string()), windows: z.int() }),
  ),
  epochs: z.array(z.strictObject({ epoch: z.int(), loss: z.number(), validation_loss: z.number() })),
  threshold: z.number(),
  temperature: z.number(),
  masked_features: z.array(z.int()),
  mean: z.base64(),
  scale: z.base64(),
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
  const parsed = TrainingRecord.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function networkOf(record: TrainingRecord): TrainedNetwork {
  return {
    scaler: { mean: unpack(record.mean, featureCount), scale: unpack(record.scale, featureCount) },
    parameters: unpack(record.parameters, parameterCount),
    temperature: record.temperature,
  };
}

/** Little-endian float32 in base64. */
export function pack(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

function unpack(text: string, length: number): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 4 * length)
    throw new Error(`the training record is of another network: ${bytes.length / 4} numbers where ${length} belong`);
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
