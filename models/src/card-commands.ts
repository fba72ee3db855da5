/** `models -- card | build | sign`: what was trained and evaluated, told of and packed. */
import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBundle, pinBundle } from './build-model.ts';
import type { LeftOut } from './card/capture-sections.ts';
import { CardExtras } from './card/card-extras.ts';
import { say, several } from './command-options.ts';
import { readEvaluation } from './evaluation/read-evaluation.ts';
import { summaryOf } from './evaluation/summary.ts';
import { writeModelCard } from './model-card.ts';
import { signBundle } from './sign-bundle.ts';
import { readTrainingRecord } from './training-record.ts';

export function addCardCommands(program: Command): void {
  withExtras(program.command('card').description('print the model card of an evaluated training'))
    .argument('<dir>', 'what train and evaluate wrote')
    .option('--bundle-version <version>', 'such as cnn-lstm-4', 'not built yet')
    .action((folder: string, options: CardOptions & { bundleVersion: string }) => {
      const record = readTrainingRecord(folder);
      process.stdout.write(
        writeModelCard(options.bundleVersion, record, readEvaluation(folder), extrasOf(folder, options)),
      );
    });

  withExtras(program.command('build').description('pack a trained and evaluated network into a bundle'))
    .argument('<dir>', 'what train and evaluate wrote')
    .requiredOption('--bundle-version <version>', 'such as cnn-lstm-4')
    .requiredOption('--out <dir>', 'the bundle')
    .option('--pin <file>', "the agent's shipped-bundle.ts, for the bundle that ships with it")
    .action((folder: string, options: CardOptions & { bundleVersion: string; out: string; pin?: string }) => {
      const bundle = { folder: options.out, version: options.bundleVersion, createdAt: new Date() };
      const hash = buildBundle(readTrainingRecord(folder), readEvaluation(folder), extrasOf(folder, options), bundle);
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
}

interface CardOptions {
  readonly seeds?: string[];
  readonly leftOut?: string[];
  readonly ablation?: string[];
  readonly unknown?: string;
  readonly tuned?: string[];
  readonly remarks?: string;
}

function withExtras(command: Command): Command {
  return command
    .option('--seeds <dir>', 'evaluated training with another seed (may be given again)', several)
    .option('--left-out <dir>', 'evaluated training with --leave-out (may be given again)', several)
    .option('--ablation <file>', 'what ablate wrote (may be given again)', several)
    .option('--unknown <file>', 'what unknown wrote')
    .option('--tuned <dir>', 'what tune wrote, with its tuning.json (may be given again)', several)
    .option('--remarks <file>', 'Markdown for the card: what was tried, what it would need');
}

function extrasOf(
  folder: string,
  { seeds = [], leftOut = [], ablation = [], unknown, tuned = [], remarks }: CardOptions,
): CardExtras {
  const all = seeds.length === 0 ? [] : [folder, ...seeds];
  return CardExtras.parse({
    seeds: all.map((seed) => summaryOf(readEvaluation(seed).network)),
    ablations: ablation.map((file) => JSON.parse(readFileSync(file, 'utf8'))),
    left_out: leftOut.flatMap((other) => leftOutOf(folder, other)),
    unknown: unknown === undefined ? null : JSON.parse(readFileSync(unknown, 'utf8')),
    tunings: tuned.map((other) => JSON.parse(readFileSync(join(other, 'tuning.json'), 'utf8'))),
    remarks: remarks === undefined ? [] : [readFileSync(remarks, 'utf8').trim()],
  });
}

/** What the training in `other` makes of the sources that the one in `folder` had and it was kept from. */
function leftOutOf(folder: string, other: string): LeftOut[] {
  const trained = (from: string): Set<string> =>
    new Set(readTrainingRecord(from).data.flatMap(({ source, part }) => (part === 'train' ? [source] : [])));
  const { seed } = readTrainingRecord(other);
  const { captures } = readEvaluation(other).network;
  return [...trained(folder).difference(trained(other))].map((source) => ({
    source,
    seed,
    captures: captures.filter((capture) => capture.source === source),
  }));
}
