/** `range`: labelled captures and live scenarios, real tools against real services between network namespaces. Needs root. */
import { Command, InvalidArgumentError } from 'commander';
import { join } from 'node:path';
import { families } from './attacks/families.ts';
import { capture } from './capture.ts';
import { captureSet } from './capture-set.ts';
import { extract } from './extract.ts';
import { listRange } from './list-range.ts';
import { destroyNamespace, existingNamespaces } from './namespace.ts';
import { planSiteByName } from './plan/plan-site.ts';
import type { Part } from './plan/site-plan.ts';
import { loadAllScenarios, loadScenarios } from './prevention/load-scenarios.ts';
import { scenarioTable } from './prevention/scenario-table.ts';
import { chooseScenarios, describeResult, runScenarios } from './prevention/run-scenarios.ts';
import { repack } from './repack.ts';

const say = (line: string): void => console.error(`range: ${line}`);
const interrupted = new AbortController();
// Ctrl-C through npm arrives twice: the second must not end us before the sites are down
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort(new Error(name)));

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number, 0 or more');
  return value;
}
function part(text: string): Part {
  if (!['train', 'validation', 'test', 'demo'].includes(text))
    throw new InvalidArgumentError('train, validation, test or demo');
  return text as Part;
}
function familyName(text: string): string {
  if (families.some(({ name }) => name === text)) return text;
  throw new InvalidArgumentError(`there are ${families.map(({ name }) => name).join(', ')}`);
}

const program = new Command('range')
  .description(
    'Labelled captures and live scenarios of prevention: real tools against real services between network namespaces. Needs root.',
  )
  .showHelpAfterError();

program
  .command('list')
  .description('what can be captured (families of attacks, sites, tools of each part), and scenarios of prevention')
  .option('--json', 'one JSON array')
  .option('--markdown', 'the scenarios of prevention as docs/scenarios.md has them')
  .action(async (options: { json?: boolean; markdown?: boolean }) => {
    const scenarios = await loadScenarios();
    if (options.markdown === true) process.stdout.write(scenarioTable(scenarios));
    else console.log(listRange(scenarios, options.json === true));
  });

program
  .command('run')
  .description('live scenarios of prevention: what must be so, and what was seen; exit code 1 where one fails')
  .argument('<scenario...>', 'names or groups, as in `range list`, or `all`')
  .option('--json', 'one JSON array of results')
  .option('--repeat <number>', 'each so often', whole, 1)
  .option('--jobs <number>', 'how many at the same time', whole, 1)
  .action(async (words: string[], options: { json?: boolean; repeat: number; jobs: number }) => {
    const results = await runScenarios(chooseScenarios(await loadAllScenarios(), words), {
      repeat: options.repeat,
      jobs: Math.max(1, options.jobs),
      again: 0,
      signal: interrupted.signal,
      onResult: (result) => console.error(describeResult(result)),
    });
    if (options.json === true) console.log(JSON.stringify(results, null, 1));
    if (interrupted.signal.aborted || results.some(({ passed }) => !passed)) process.exitCode = 1;
  });

program
  .command('capture')
  .description('bring a site up, live, be attacked, and write NAME.pcap and NAME.labels.json')
  .argument('<family>', 'as in `range list`', familyName)
  .requiredOption('--site <name>', 'such as train-07')
  .requiredOption('--out <folder>', 'where the files go')
  .option('--seed <number>', 'the same seed gives the same attacks', whole, 1)
  .option('--episodes <number>', 'how many', whole, 6)
  .option('--lanes <number>', 'attackers at the same time', whole, 1)
  .option('--lead <seconds>', 'honest life before the first', whole, 15)
  .option('--name <name>', 'of the files; default FAMILY-SITE-SEED')
  .action(
    async (
      family: string,
      options: {
        site: string;
        out: string;
        seed: number;
        episodes: number;
        lanes: number;
        lead: number;
        name?: string;
      },
    ) => {
      const { site, seed, episodes, lanes } = options;
      const name = options.name ?? `${family}-${site}-${seed}`;
      await capture(
        {
          site: planSiteByName(site),
          seed,
          episodes,
          family,
          lanes,
          lifeSeconds: options.lead,
          folder: options.out,
          name,
        },
        say,
        interrupted.signal,
      );
    },
  );

interface SetOptions {
  readonly part: Part;
  readonly out: string;
  readonly sites: number;
  readonly first: number;
  readonly jobs: number;
  readonly seed: number;
}

program
  .command('set')
  .description('attacks of every family on many sites of a part, several at a time')
  .requiredOption('--part <name>', 'train, validation, test: they share no site', part)
  .requiredOption('--out <folder>', 'the set goes to FOLDER/PART')
  .option('--sites <number>', 'how many', whole, 12)
  .option('--first <number>', 'number of the first', whole, 0)
  .option('--episodes <number>', 'attacks on each', whole, 30)
  .option('--lanes <number>', 'attackers at the same time on each', whole, 3)
  .option('--jobs <number>', 'sites at the same time', whole, 4)
  .option('--seed <number>', 'of the attacks', whole, 1)
  .option('--family <name>', 'only this one', familyName)
  .action(async (options: SetOptions & { episodes: number; lanes: number; family?: string }) => {
    const folder = join(options.out, options.part);
    await captureSet({ ...options, folder, family: options.family ?? null, lifeSeconds: 20 }, say, interrupted.signal);
  });

program
  .command('life')
  .description('honest life alone, of many sites side by side: what false alarms are counted on')
  .requiredOption('--out <folder>', 'the captures go to FOLDER/life')
  .option('--part <name>', 'whose sites', part, 'test')
  .option('--sites <number>', 'how many, all at the same time', whole, 8)
  .option('--first <number>', 'number of the first; those of attacks have lower ones', whole, 100)
  .option('--minutes <number>', 'for how long', whole, 10)
  .action(async (options: Omit<SetOptions, 'jobs' | 'seed'> & { minutes: number }) => {
    const folder = join(options.out, 'life');
    await captureSet(
      {
        ...options,
        folder,
        jobs: options.sites,
        seed: 1,
        episodes: 0,
        lanes: 0,
        family: null,
        lifeSeconds: options.minutes * 60,
      },
      say,
      interrupted.signal,
    );
  });

program
  .command('extract')
  .description('labelled flows of captures, packed: NAME.flows for every NAME.pcap with labels')
  .requiredOption('--captures <folder>', 'what set and life wrote')
  .requiredOption('--out <folder>', 'where the packs and their manifest go')
  .action(async (options: { captures: string; out: string }) => {
    await extract(options.captures, options.out, say, interrupted.signal);
  });

program
  .command('repack')
  .description(
    'rewrite all packs of a folder in the newest format, and their manifest; what they hold stays to the bit',
  )
  .argument('<folder>', 'such as models/range/flows')
  .action((folder: string) => repack(folder, say, interrupted.signal));

program
  .command('clean')
  .description('delete what a crashed run left behind: its namespaces and whatever still runs in them')
  .action(async () => {
    for (const name of await existingNamespaces()) await destroyNamespace(name);
  });

const needsRoot =
  ['capture', 'run', 'set', 'life', 'clean'].includes(process.argv[2] ?? '') &&
  !process.argv.includes('--help') &&
  !process.argv.includes('-h');
if (process.getuid?.() !== 0 && needsRoot) {
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
