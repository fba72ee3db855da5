/** `npm run -s models -- train | evaluate | build`: process edge, nothing else. */
import { Command, InvalidArgumentError } from 'commander';
import { readDataset } from './dataset/read-dataset.ts';
import { trainModel } from './train-model.ts';
import { writeTrainingRecord } from './training-record.ts';

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

await program.parseAsync().catch((error: unknown) => {
  say(`models: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
