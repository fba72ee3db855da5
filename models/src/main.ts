/** `npm run -s models -- train | calibrate | evaluate | ablate | card | build`: process edge, nothing else. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ablate } from './ablate.ts';
import { buildBundle, pinBundle } from './build-model.ts';
import { calibrateAgain } from './calibrate-again.ts';
import { requireLeftOut, splitForTraining, splitOfRecord, usualSplit } from './dataset/capture-split.ts';
import type { CaptureSplit } from './dataset/capture-split.ts';
import { readDataset } from './dataset/read-dataset.ts';
import { evaluateModel } from './evaluate-model.ts';
import { Evaluation } from './evaluation/evaluation.ts';
import { summaryOf } from './evaluation/summary.ts';
import { measureSpeed } from './measure-speed.ts';
import type { LeftOut } from './card/capture-sections.ts';
import { CardExtras, noExtras } from './card/card-extras.ts';
import { writeModelCard } from './model-card.ts';
import { trainModel } from './train-model.ts';
import { signBundle } from './sign-bundle.ts';
import { networkOf, readTrainingRecord, writeTrainingRecord } from './training-record.ts';

const program = new Command('models').description('Train, measure and pack the network that the agents run.');
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const shippedFlows = fileURLToPath(new URL('../range/flows', import.meta.url));

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number, 0 or more.');
  return value;
}

function several(folder: string, before: string[] | undefined): string[] {
  return [...(before ?? []), folder];
}

interface DataOptions {
  readonly flows?: string[];
  readonly rangeFlows: boolean;
  readonly tables?: string;
  readonly captures?: string[];
}

/** The range's packed flows, unless told otherwise, and whatever folders the user adds. */
function withData(command: Command): Command {
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

function dataOf(
  { flows, rangeFlows, tables, captures }: DataOptions,
  split: CaptureSplit,
): Parameters<typeof readDataset>[0] {
  const usual = rangeFlows && existsSync(shippedFlows) ? [shippedFlows] : [];
  return { flows: flows ?? usual, tables, captures, split, seed: splitSeed };
}

/** Splits never change with the training seed: a network and its test part belong together. */
const splitSeed = 1;

interface TrainOptions {
  readonly out: string;
  readonly seed: number;
  readonly epochs: number;
  readonly threads: number;
  readonly leaveOut?: string[];
}

withData(program.command('train').description('train on the packed flows of the range, and on tables and captures'))
  .requiredOption('--out <dir>', 'where training.json goes; an interrupted training goes on from there')
  .option('--seed <n>', 'of weights and batches', whole, 1)
  .option('--epochs <n>', 'at most', whole, 14)
  .option('--threads <n>', 'of the training session', whole, 1)
  .option('--leave-out <source>', 'keep all device types of a source aside (may be given again)', several)
  .action(async (options: DataOptions & TrainOptions) => {
    const split = splitForTraining(usualSplit, options.leaveOut);
    const dataset = await readDataset(dataOf(options, split), say);
    for (const source of options.leaveOut ?? []) requireLeftOut(dataset, source);
    writeTrainingRecord(options.out, await trainModel(dataset, { ...options, checkpoint: options.out }, say));
    say(`wrote ${options.out}/training.json`);
  });

withData(
  program
    .command('calibrate')
    .description(
      'choose the threshold of a trained network again, by more hours of peace; its weights stay as they are',
    ),
)
  .argument('<dir>', 'what train wrote')
  .requiredOption('--peace <dir>', 'packed flows of gateways that nobody attacked (may be given again)', several)
  .requiredOption('--out <dir>', 'where training.json goes')
  .action(async (folder: string, options: DataOptions & { peace: string[]; out: string }) => {
    const record = readTrainingRecord(folder);
    const dataset = await readDataset(dataOf(options, splitOfRecord(usualSplit, record.data)), say);
    writeTrainingRecord(options.out, await calibrateAgain(dataset, record, options.peace, say));
    say(`wrote ${options.out}/training.json: evaluate it again, its alerts are others now`);
  });

withData(program.command('evaluate').description('measure a trained network on the parts that its training held out'))
  .argument('<dir>', 'what train wrote')
  .addOption(new Option('--part <part>', 'what to look at').choices(['validation', 'both']).default('both'))
  .option('--no-baselines', 'the network alone')
  .action(async (folder: string, options: DataOptions & { part: 'validation' | 'both'; baselines: boolean }) => {
    const record = readTrainingRecord(folder);
    const parts = options.part === 'both' ? (['validation', 'test'] as const) : (['validation'] as const);
    const choice = { parts, withBaselines: options.baselines };
    const dataset = await readDataset(dataOf(options, splitOfRecord(usualSplit, record.data)), say);
    const evaluation = await evaluateModel(dataset, record, choice, say);
    writeFileSync(join(folder, 'evaluation.json'), `${JSON.stringify(evaluation, undefined, 1)}\n`);
    process.stdout.write(writeModelCard(`seed ${record.seed}`, record, evaluation, noExtras));
  });

withData(
  program.command('ablate').description('short trainings with one part left out each, measured on validation data'),
)
  .requiredOption('--out <file>', 'where the table goes')
  .option('--seed <n>', 'of weights and batches', whole, 1)
  .option('--epochs <n>', 'of each training', whole, 6)
  .option('--threads <n>', 'of the training sessions', whole, 1)
  .option('--only <text>', 'variants whose name contains this')
  .action(
    async (options: DataOptions & { out: string; seed: number; epochs: number; threads: number; only?: string }) => {
      const dataset = await readDataset(dataOf(options, splitForTraining(usualSplit)), say);
      await ablate(dataset, options, say, (table) =>
        writeFileSync(options.out, `${JSON.stringify(table, undefined, 1)}\n`),
      );
    },
  );

program
  .command('speed')
  .description('how fast its graphs run on one thread, and how large they are')
  .argument('<dir>', 'what train wrote')
  .action(async (folder: string) => {
    const speed = await measureSpeed(networkOf(readTrainingRecord(folder)));
    process.stdout.write(`${JSON.stringify(speed, undefined, 1)}\n`);
  });

interface CardOptions {
  readonly seeds?: string[];
  readonly leftOut?: string[];
  readonly ablation?: string;
  readonly remarks?: string;
}

function withExtras(command: Command): Command {
  return command
    .option('--seeds <dir>', 'evaluated training with another seed (may be given again)', several)
    .option('--left-out <dir>', 'evaluated training with --leave-out (may be given again)', several)
    .option('--ablation <file>', 'what ablate wrote')
    .option('--remarks <file>', 'Markdown for the card: what was tried, what it would need');
}

function extrasOf(folder: string, { seeds = [], leftOut = [], ablation, remarks }: CardOptions): CardExtras {
  const all = seeds.length === 0 ? [] : [folder, ...seeds];
  return CardExtras.parse({
    seeds: all.map((seed) => summaryOf(evaluationOf(seed).network)),
    ablation: ablation === undefined ? [] : JSON.parse(readFileSync(ablation, 'utf8')),
    left_out: leftOut.flatMap((other) => leftOutOf(folder, other)),
    remarks: remarks === undefined ? [] : [readFileSync(remarks, 'utf8').trim()],
  });
}

/** What the training in `other` makes of the sources that the one in `folder` had and it was kept from. */
function leftOutOf(folder: string, other: string): LeftOut[] {
  const trained = (from: string): Set<string> =>
    new Set(readTrainingRecord(from).data.flatMap(({ source, part }) => (part === 'train' ? [source] : [])));
  const { seed } = readTrainingRecord(other);
  const { captures } = evaluationOf(other).network;
  return [...trained(folder).difference(trained(other))].map((source) => ({
    source,
    seed,
    captures: captures.filter((capture) => capture.source === source),
  }));
}

function evaluationOf(folder: string): Evaluation {
  const path = join(folder, 'evaluation.json');
  if (!existsSync(path)) throw new Error(`${folder} was not evaluated: models -- evaluate ${folder}`);
  return Evaluation.parse(JSON.parse(readFileSync(path, 'utf8')));
}

withExtras(program.command('card').description('print the model card of an evaluated training'))
  .argument('<dir>', 'what train and evaluate wrote')
  .option('--bundle-version <version>', 'such as cnn-lstm-4', 'not built yet')
  .action((folder: string, options: CardOptions & { bundleVersion: string }) => {
    const record = readTrainingRecord(folder);
    process.stdout.write(
      writeModelCard(options.bundleVersion, record, evaluationOf(folder), extrasOf(folder, options)),
    );
  });

withExtras(program.command('build').description('pack a trained and evaluated network into a bundle'))
  .argument('<dir>', 'what train and evaluate wrote')
  .requiredOption('--bundle-version <version>', 'such as cnn-lstm-4')
  .requiredOption('--out <dir>', 'the bundle')
  .option('--pin <file>', "the agent's shipped-bundle.ts, for the bundle that ships with it")
  .action((folder: string, options: CardOptions & { bundleVersion: string; out: string; pin?: string }) => {
    const bundle = { folder: options.out, version: options.bundleVersion, createdAt: new Date() };
    const hash = buildBundle(readTrainingRecord(folder), evaluationOf(folder), extrasOf(folder, options), bundle);
    if (options.pin !== undefined) pinBundle(options.pin, options.bundleVersion, hash);
    say(`wrote ${options.out}, manifest ${hash}`);
  });

program
  .command('sign')
  .description("vouch for a bundle with a key of one's own, for gateways that are started with --trust")
  .argument('<bundle>', 'folder of a bundle')
  .requiredOption('--key <file>', 'Ed25519, PKCS#8 PEM: openssl genpkey -algorithm ed25519 -out key.pem')
  .action((folder: string, options: { key: string }) => {
    const publicKey = signBundle(folder, readFileSync(options.key, 'utf8'));
    say(`signed ${folder}; gateways trust it with: --trust ${publicKey}`);
  });

await program.parseAsync().catch((error: unknown) => {
  say(`models: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
