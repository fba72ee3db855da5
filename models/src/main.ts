/** `npm run -s models -- train | calibrate | evaluate | ablate | unknown | tune | card | build`: process edge, nothing else. */
import { Command, Option } from 'commander';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ablate } from './ablate.ts';
import { calibrateAgain, requireUntuned } from './calibrate-again.ts';
import type { CalibrationChoice } from './calibrate-again.ts';
import { addCardCommands } from './card-commands.ts';
import { tuningTable } from './card/tuning-section.ts';
import { noExtras } from './card/card-extras.ts';
import { dataOf, say, several, share, withData, withEffort } from './command-options.ts';
import type { DataOptions, EffortOptions } from './command-options.ts';
import {
  requireLeftOut,
  splitForTraining,
  splitForTuning,
  splitOfRecord,
  usualSplit,
} from './dataset/capture-split.ts';
import { readDataset } from './dataset/read-dataset.ts';
import { classesToLeaveOut, withoutClasses } from './dataset/without-classes.ts';
import { evaluateModel } from './evaluate-model.ts';
import { Ablation, UnknownClasses } from './evaluation/evaluation.ts';
import { measureSpeed } from './measure-speed.ts';
import { writeModelCard } from './model-card.ts';
import { trainModel } from './train-model.ts';
import { networkOf, readTrainingRecord, writeTrainingRecord } from './training-record.ts';
import { tuneModel } from './tune-model.ts';
import { measureUnknown } from './unknown-classes.ts';

const program = new Command('models').description('Train, measure and pack the network that the agents run.');
interface TrainOptions extends EffortOptions {
  readonly out: string;
  readonly leaveOut?: string[];
  readonly leaveOutClass?: string[];
}

const train = program
  .command('train')
  .description('train on the packed flows of the range, and on tables and captures');
withEffort(withData(train), 14)
  .requiredOption('--out <dir>', 'where training.json goes; an interrupted training goes on from there')
  .option('--leave-out <source>', 'keep all device types of a source aside (may be given again)', several)
  .option('--leave-out-class <class>', 'learn nothing of this kind of attack (may be given again)', several)
  .action(async (options: DataOptions & TrainOptions) => {
    const split = splitForTraining(usualSplit, options.leaveOut);
    const dataset = await readDataset(dataOf(options, split), say);
    for (const source of options.leaveOut ?? []) requireLeftOut(dataset, source);
    const leftOutClasses = classesToLeaveOut(dataset, options.leaveOutClass ?? []);
    const choice = { ...options, leftOutClasses, checkpoint: options.out };
    writeTrainingRecord(options.out, await trainModel(dataset, choice, say));
    say(`wrote ${options.out}/training.json`);
  });

withData(
  program
    .command('calibrate')
    .description(
      'choose the threshold of a trained network again, by more hours of peace, and fit what its scores mean again; its weights stay as they are',
    ),
)
  .argument('<dir>', 'what train wrote')
  .option('--peace <dir>', 'packed flows of gateways that nobody attacked (may be given again)', several, [])
  .option('--scores', 'fit temperature and offset again: thresholds of rules mean other evidence then', false)
  .requiredOption('--out <dir>', 'where training.json goes')
  .action(async (folder: string, options: DataOptions & CalibrationChoice & { out: string }) => {
    if (options.peace.length === 0 && !options.scores)
      throw new Error('nothing new to go by: give --peace or --scores');
    const record = readTrainingRecord(folder);
    requireUntuned(record);
    const whole = await readDataset(dataOf(options, splitOfRecord(usualSplit, record.data)), say);
    const dataset = withoutClasses(whole, record.left_out_classes);
    writeTrainingRecord(options.out, await calibrateAgain(dataset, record, options, say));
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
    writeJson(join(folder, 'evaluation.json'), evaluation);
    process.stdout.write(writeModelCard(`seed ${record.seed}`, record, evaluation, noExtras));
  });

const ablation = program
  .command('ablate')
  .description('short trainings with one part left out each, measured on validation data');
withEffort(withData(ablation), 6)
  .requiredOption('--out <file>', 'where the table goes; an interrupted measurement goes on from there')
  .option('--only <text>', 'variants whose name contains this')
  .action(async (options: DataOptions & EffortOptions & { out: string; only?: string }) => {
    const dataset = await readDataset(dataOf(options, splitForTraining(usualSplit)), say);
    const before = existsSync(options.out) ? Ablation.parse(JSON.parse(readFileSync(options.out, 'utf8'))) : undefined;
    await ablate(dataset, options, before, say, (table) => writeJson(options.out, table));
  });

const unknown = program
  .command('unknown')
  .description('short trainings with one class of attack left out each: what is made of it that was never met');
withEffort(withData(unknown), 6)
  .requiredOption('--out <file>', 'where the table goes; an interrupted measurement goes on from there')
  .option('--only <class>', 'this one alone, beside the whole')
  .action(async (options: DataOptions & EffortOptions & { out: string; only?: string }) => {
    const dataset = await readDataset(dataOf(options, splitForTraining(usualSplit)), say);
    const before = existsSync(options.out)
      ? UnknownClasses.parse(JSON.parse(readFileSync(options.out, 'utf8')))
      : undefined;
    await measureUnknown(dataset, options, before, say, (table) => writeJson(options.out, table));
  });

interface TuneOptions extends EffortOptions {
  readonly site: string;
  readonly share: number;
  readonly old: number;
  readonly learningRate: number;
  readonly out: string;
}

const tune = program
  .command('tune')
  .description(
    "go on with a trained network on a share of another network's labelled windows; measured before and after",
  )
  .argument('<dir>', 'what train wrote; the data are those of its training, and the site');
withEffort(withData(tune), 3, 50)
  .requiredOption(
    '--site <source>',
    'what to go on with: cse-cic-ids2018, or the name of a folder of flows or captures',
  )
  .requiredOption('--out <dir>', 'where training.json and tuning.json go')
  .option(
    '--share <n>',
    "of the site's labelled windows, the same of each class; a fifth of them chooses the threshold",
    share,
    0.05,
  )
  .option('--old <n>', 'share of each batch that is of the data that it was trained on', share, 0.5)
  .option('--learning-rate <n>', 'of each step', share, 0.0003)
  .action(async (folder: string, options: DataOptions & TuneOptions) => {
    const record = readTrainingRecord(folder);
    const split = splitForTuning(usualSplit, record.data, options.site);
    const dataset = withoutClasses(await readDataset(dataOf(options, split), say), record.left_out_classes);
    const { record: tuned, tuning } = await tuneModel(dataset, record, options, say);
    writeTrainingRecord(options.out, tuned);
    writeJson(join(options.out, 'tuning.json'), tuning);
    process.stdout.write(`${tuningTable(tuning)}\n`);
  });

program
  .command('speed')
  .description('how fast its graphs run on one thread, and how large they are')
  .argument('<dir>', 'what train wrote')
  .action(async (folder: string) => {
    const speed = await measureSpeed(networkOf(readTrainingRecord(folder)));
    process.stdout.write(`${JSON.stringify(speed, undefined, 1)}\n`);
  });

addCardCommands(program);

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 1)}\n`);
}

await program.parseAsync().catch((error: unknown) => {
  say(`models: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
