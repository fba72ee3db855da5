/** Where a training run stands after an epoch, so that an interrupted one goes on instead of beginning again. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parameterCount } from './network/network-parameters.ts';
import type { TrainerState } from './network/trainer.ts';
import { pack, unpack } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';

export interface Checkpoint {
  readonly epochs: TrainingRecord['epochs'];
  readonly best: { readonly recall: number; readonly epoch: number; readonly parameters: Float32Array<ArrayBuffer> };
  /** The averaged parameters. */
  readonly average: Float32Array<ArrayBuffer>;
  readonly state: TrainerState;
}

const Stored = z.strictObject({
  fingerprint: z.string(),
  epochs: z.array(z.strictObject({ epoch: z.int(), loss: z.number(), validation_recall: z.number() })),
  best: z.strictObject({ recall: z.number(), epoch: z.int(), parameters: z.base64() }),
  average: z.base64(),
  steps: z.int(),
  delta: z.base64(),
  momentum: z.base64(),
  velocity: z.base64(),
});

const fileName = 'checkpoint.json';

/** Whole or not at all: a run that is killed while it writes leaves the one before. */
export function writeCheckpoint(folder: string, fingerprint: string, checkpoint: Checkpoint): void {
  const { epochs, best, average, state } = checkpoint;
  const stored: z.infer<typeof Stored> = {
    fingerprint,
    epochs: [...epochs],
    best: { ...best, parameters: pack(best.parameters) },
    average: pack(average),
    steps: state.steps,
    delta: pack(state.delta),
    momentum: pack(state.momentum),
    velocity: pack(state.velocity),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${fileName}.part`), JSON.stringify(stored));
  renameSync(join(folder, `${fileName}.part`), join(folder, fileName));
}

/** Undefined where there is none, or, which `progress` is told, where it is of other data, another seed or another recipe. */
export function readCheckpoint(
  folder: string,
  fingerprint: string,
  progress: (line: string) => void,
): Checkpoint | undefined {
  const path = join(folder, fileName);
  if (!existsSync(path)) return undefined;
  const parsed = Stored.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path} cannot be read, remove it: ${z.prettifyError(parsed.error)}`);
  const { data } = parsed;
  if (data.fingerprint !== fingerprint) {
    progress(`${path} is of other data, another seed, recipe or number of epochs: beginning anew`);
    return undefined;
  }
  const vector = (text: string): Float32Array<ArrayBuffer> => unpack(text, parameterCount);
  return {
    epochs: data.epochs,
    best: { ...data.best, parameters: vector(data.best.parameters) },
    average: vector(data.average),
    state: {
      delta: vector(data.delta),
      momentum: vector(data.momentum),
      velocity: vector(data.velocity),
      steps: data.steps,
    },
  };
}

export function removeCheckpoint(folder: string): void {
  rmSync(join(folder, fileName), { force: true });
}
