/** What `train` leaves behind and `evaluate` and `build` start from: weights, scaler, and how they came about. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { featureCount } from '@picket/shared/features/feature-schema';
import { z } from 'zod';
import { DataDescription } from './data-description.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import type { TrainedNetwork } from './network/cnn-lstm.ts';
import { parameterCount } from './network/network-parameters.ts';

const fileName = 'training.json';

const TrainingRecord = z.strictObject({
  seed: z.int(),
  /** Sources and how many windows of each part they gave. */
  data: z.array(DataDescription),
  /** SHA-256 over flows, labels and windows of the training and validation parts. */
  data_fingerprint: z.string(),
  epochs: z.array(z.strictObject({ epoch: z.int(), loss: z.number(), validation_recall: z.number() })),
  best_epoch: z.int(),
  threshold: z.number(),
  /** Why this one, for the card. */
  threshold_reason: z.string(),
  temperature: z.number(),
  masked_features: z.array(z.int()),
  design: z.strictObject({
    recurrence: z.boolean(),
    neighbours: z.boolean(),
    pooling: z.boolean(),
    attention: z.boolean(),
    suspicion: z.boolean(),
    surroundings: z.boolean(),
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
    temperature: record.temperature,
    design: record.design,
  };
}

/** Two datasets with the same one train the same network, whatever there is to test it on. */
export function dataFingerprint({ rows, sequences }: Dataset): string {
  const hash = createHash('sha256');
  const isUsed = new Uint8Array(rows.count);
  for (const { source, group, device, part, windows } of sequences) {
    if (part === 'test') continue;
    hash.update(JSON.stringify([source, group, device, part]));
    // Counted from the first row of the stretch: rows that only tests have must not shift it.
    const firstRow = windows.reduce((least, row) => (row >= 0 && row < least ? row : least), rows.count);
    hash.update(new Uint8Array(windows.map((row) => (row < 0 ? row : row - firstRow)).buffer));
    for (const row of windows) if (row >= 0) isUsed[row] = 1;
  }
  const columns = [
    rows.classes,
    rows.residues,
    rows.startUs,
    rows.lastUs,
    rows.directions,
    rows.recentOfDevice,
    rows.recentOfPeer,
  ];
  for (let row = 0; row < rows.count; row++) {
    if (isUsed[row] === 0) continue;
    hash.update(rows.row(row));
    for (const column of columns) hash.update(column.subarray(row, row + 1));
  }
  return hash.digest('hex');
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
