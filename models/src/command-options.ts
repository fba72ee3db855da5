/** What the commands of `models` have in common: numbers, folders of data, and where they are told of. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CaptureSplit } from './dataset/capture-split.ts';
import type { readDataset } from './dataset/read-dataset.ts';
import { usualSteps } from './train-model.ts';

const shippedFlows = fileURLToPath(new URL('../range/flows', import.meta.url));

/** Splits never change with the training seed: a network and its test part belong together. */
const splitSeed = 1;

export const say = (line: string): void => void process.stderr.write(`${line}\n`);

export function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number, 0 or more.');
  return value;
}

export function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('a share from 0 to 1.');
  return value;
}

export function several(folder: string, before: string[] | undefined): string[] {
  return [...(before ?? []), folder];
}

export interface DataOptions {
  readonly flows?: string[];
  readonly rangeFlows: boolean;
  readonly tables?: string;
  readonly captures?: string[];
}

/** The range's packed flows, unless told otherwise, and whatever folders the user adds. */
export function withData(command: Command): Command {
  return command
    .option('--flows <dir>', "folder of packed flows instead of the range's own (may be given again)", several)
    .option('--no-range-flows', "without the range's packed flows")
    .option('--tables <dir>', 'folder that holds cicids2017-improved/, iot-sentinel-benign-flows/ …')
    .option(
      '--captures <dir>',
      'folder of captures, labelled or sorted into attack/ and benign/ (may be given again)',
      several,
    );
}

export function dataOf(
  { flows, rangeFlows, tables, captures }: DataOptions,
  split: CaptureSplit,
): Parameters<typeof readDataset>[0] {
  const usual = rangeFlows && existsSync(shippedFlows) ? [shippedFlows] : [];
  return { flows: flows ?? usual, tables, captures, split, seed: splitSeed };
}

export interface EffortOptions {
  readonly seed: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly threads: number;
}

export function withEffort(command: Command, epochs: number, steps = usualSteps): Command {
  return command
    .option('--seed <n>', 'of weights and batches', whole, 1)
    .option('--epochs <n>', 'of each training, at most', whole, epochs)
    .option('--steps-per-epoch <n>', 'of 256 windows each; fewer make a quick try', whole, steps)
    .option('--threads <n>', 'of the training session', whole, 1);
}
