/** `npm run -s models -- train | evaluate | build`: process edge, nothing else. */
import { Command, InvalidArgumentError } from 'commander';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBundle, pinBundle } from './build-model.ts';
import { readDataset } from './dataset/read-dataset.ts';
import { Evaluation, evaluateModel } from './evaluate-model.ts';
import { trainModel } from './train-model.ts';
import { readTrainingRecord, writeTrainingRecord } from './training-record.ts';

const program = new Command('models').description('Train, measure and pack the network that the agents run.');
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number, 0 or more.');
  return value;
}

function several(folder: string, before: string[] | undefined): string[] {
  return [...(before ?? []), folder];
}

program
  .command('train')
  .description('train on flow tables and captures')
  .option('--tables <dir>', 'folder that holds cicids2017-improved/ and iot-sentinel-benign-flows/')
  .option('--captures <dir>', 'folder of captures with labels beside them (may be given again)', several)
  .requiredOption('--out <dir>', 'where training.json goes')
  .option('--seed <n>', 'of splits, weights and batches', whole, 1)
  .option('--epochs <n>', 'at most', whole, 40)
  .option('--threads <n>', 'of the training session', whole, 1)
  .action(
    async (options: {
      tables?: string;
      captures?: string[];
      out: string;
      seed: number;
      epochs: number;
      threads: number;
    }) => {
      const dataset = await readDataset(options, say);
      writeTrainingRecord(options.out, await trainModel(dataset, options, say));
      say(`wrote ${options.out}/training.json`);
    },
  );

program
  .command('evaluate')
  .description('measure a trained network on the parts that its training held out')
  .argument('<dir>', 'what train wrote')
  .option('--tables <dir>', 'the same as for train')
  .option('--captures <dir>', 'the same as for train', several)
  .action(async (folder: string, options: { tables?: string; captures?: string[] }) => {
    const record = readTrainingRecord(folder);
    const evaluation = await evaluateModel(await readDataset({ ...options, seed: record.seed }, say), record);
    const text = `${JSON.stringify(evaluation, undefined, 1)}\n`;
    writeFileSync(join(folder, 'evaluation.json'), text);
    process.stdout.write(text);
  });

program
  .command('build')
  .description('pack a trained and evaluated network into a bundle')
  .argument('<dir>', 'what train and evaluate wrote')
  .requiredOption('--bundle-version <version>', 'such as cnn-lstm-1')
  .requiredOption('--out <dir>', 'the bundle')
  .option('--pin <file>', "the agent's shipped-bundle.ts, for the bundle that ships with it")
  .action((folder: string, options: { bundleVersion: string; out: string; pin?: string }) => {
    const evaluation = Evaluation.parse(JSON.parse(readFileSync(join(folder, 'evaluation.json'), 'utf8')));
    const bundle = { folder: options.out, version: options.bundleVersion, createdAt: new Date() };
    const hash = buildBundle(readTrainingRecord(folder), evaluation, bundle);
    if (options.pin !== undefined) pinBundle(options.pin, options.bundleVersion, hash);
    say(`wrote ${options.out}, manifest ${hash}`);
  });

await program.parseAsync().catch((error: unknown) => {
  say(`models: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
