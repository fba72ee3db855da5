/** `range`: labelled captures from real tools against real services between network namespaces. Needs root. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Settings } from './attacks/attack-step.ts';
import { type CaptureOrder, capture } from './capture.ts';
import { families, demoFamily, familyOf } from './families.ts';
import { destroyNamespace, existingNamespaces } from './namespace.ts';
import { captureSet } from './capture-set.ts';
import { sitePlans } from './site-plan.ts';

const say = (line: string): void => console.error(`range: ${line}`);
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)));

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number, 0 or more');
  return value;
}
const settings = new Option('--settings <which>', 'which settings the tools get')
  .choices(['train', 'validation', 'demo'])
  .default('train');
const siteName = new Option('--site <name>', 'where').choices(sitePlans.map((plan) => plan.name)).default('home');

const program = new Command('range')
  .description('Labelled captures from real tools against real services between network namespaces. Needs root.')
  .showHelpAfterError();

program
  .command('list')
  .description('scenarios, their steps, and sites')
  .action(() => {
    for (const family of [...families, demoFamily]) {
      console.log(`${family.name}: ${family.description}`);
      for (const [which, steps] of Object.entries(family.steps)) {
        for (const step of steps) console.log(`  ${which}: ${step.name}`);
      }
    }
    console.log(`sites: ${sitePlans.map((plan) => `${plan.name} (${plan.lan}.0/24)`).join(', ')}`);
  });

interface CaptureOptions {
  readonly out: string;
  readonly seed: number;
  readonly settings: Settings;
  readonly site: string;
  readonly lead: number;
  readonly pause: number;
  readonly name?: string;
}
program
  .command('capture')
  .description('bring a site up, live, attack, and write NAME.pcap and NAME.labels.json')
  .argument('<scenario>', 'as in `range list`')
  .requiredOption('--out <folder>', 'where the files go')
  .requiredOption('--seed <number>', 'the same seed chooses the same settings', positive)
  .addOption(settings)
  .addOption(siteName)
  .option('--lead <seconds>', 'honest life before the first attack', positive, 12)
  .option('--pause <seconds>', 'mean pause between attacks', positive, 8)
  .option('--name <name>', 'of the files; default SCENARIO-SITE-SEED')
  .action(async (scenario: string, options: CaptureOptions) => {
    const order: CaptureOrder = {
      family: familyOf(scenario),
      settings: options.settings,
      site: options.site,
      seed: options.seed,
      folder: options.out,
      leadSeconds: options.lead,
      pauseSeconds: options.pause,
      name: options.name ?? `${scenario}-${options.site}-${options.seed}`,
    };
    await capture(order, say, interrupted.signal);
  });

program
  .command('set')
  .description('the whole set of captures that a model is trained on or validated on')
  .addOption(settings)
  .requiredOption('--out <folder>', 'the set goes to FOLDER/train or FOLDER/validation')
  .option('--jobs <number>', 'sites at the same time', positive, 3)
  .option('--scenario <name>', 'only this one')
  .option('--site <name>', 'only there')
  .option('--seed <number>', 'only the captures with this seed', positive)
  .action(
    (options: { settings: Settings; out: string; jobs: number; scenario?: string; site?: string; seed?: number }) =>
      captureSet(
        options.settings,
        options.out,
        options.jobs,
        { scenario: options.scenario ?? null, site: options.site ?? null, seed: options.seed ?? null },
        say,
        interrupted.signal,
      ),
  );

program
  .command('clean')
  .description('delete what a crashed run left behind: its namespaces and whatever still runs in them')
  .action(async () => {
    for (const name of await existingNamespaces()) await destroyNamespace(name);
  });

if (process.getuid?.() !== 0 && !['list', '--help', '-h', undefined].includes(process.argv[2])) {
  say('network namespaces need root; run it as root, or `range list` to see what there is');
  process.exitCode = 77;
} else {
  try {
    await program.parseAsync();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
