/**
 * Goes on with a trained network on a small share of another network's labelled windows: what a site of its own is worth
 * to it. Scaling, mask and design stay; so does what it knew, as far as old data beside the new can see to that.
 */
import { heardInPeace, describeData } from './data-description.ts';
import { dataFingerprint } from './data-fingerprint.ts';
import type { Dataset, Part, WindowSequence } from './dataset/flow-rows.ts';
import { labelWindow } from './dataset/label-window.ts';
import { seededRandom } from './dataset/seeded-random.ts';
import { takeShare } from './dataset/site-share.ts';
import type { SiteShare } from './dataset/site-share.ts';
import { windowAt } from './dataset/evaluation-windows.ts';
import { windowsOf } from './dataset/without-classes.ts';
import { joinedBlocks } from './dataset/window-block.ts';
import { WindowSampler } from './dataset/window-sampler.ts';
import type { Tuning } from './evaluation/evaluation.ts';
import { tuningFigures } from './evaluation/tuning-figures.ts';
import { Adversary } from './network/adversary.ts';
import { buildTrainGraph } from './network/bundle-graphs.ts';
import { uncalibrated } from './network/cnn-lstm.ts';
import { buildPerturbGraph } from './network/perturb-graph.ts';
import { Trainer } from './network/trainer.ts';
import { batchSize, calibrated, usualRecipe } from './train-model.ts';
import { hardNegatives } from './training-block.ts';
import { trainEpoch } from './training-epoch.ts';
import { networkOf, pack } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';

export interface TuningOptions {
  /** Source whose windows are gone on with. */
  readonly site: string;
  /** Of its labelled windows, more than 0 and up to 1. */
  readonly share: number;
  /** Of each batch: windows of the data that the network was trained on. */
  readonly old: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly threads: number;
}

export interface Tuned {
  readonly record: TrainingRecord;
  /** The network before and after, on what it never learnt from. */
  readonly tuning: Tuning;
}

/**
 * `dataset` is what the network was trained on, and the site. All of the epochs are gone through: there are too few labelled
 * windows to choose one by. The threshold is chosen anew, by the old validation part and a fifth of the share.
 * @throws {Error} where the dataset is another one, the network knows the site already, or nothing is of the site
 */
export async function tuneModel(
  dataset: Dataset,
  record: TrainingRecord,
  options: TuningOptions,
  progress: (line: string) => void,
): Promise<Tuned> {
  const { site, share, seed, old: oldShare, epochs, stepsPerEpoch, learningRate } = options;
  if (record.left_out_classes.length > 0) {
    throw new Error(
      `it was kept from ${record.left_out_classes.join(', ')}, which the site may hold: go on with a network that was trained with all classes`,
    );
  }
  const old = oldData(dataset, record, site);
  const taken = takeShare(dataset, site, share, seed);
  for (const row of taken.taken) progress(`${row.class}: ${row.taken} of ${row.windows} windows`);
  const countOf = (part: Part): number =>
    taken.sequences.filter((one) => one.part === part).reduce((sum, { atUs }) => sum + atUs.length, 0);
  progress(
    `${countOf('train')} windows to learn from, ${countOf('validation')} for the threshold, ${countOf('test')} held out: none shares a flow with another of these`,
  );
  const parameters = await tunedParameters(dataset, old, taken.sequences, record, options, progress);
  // A run of the site that was taken from is learnt, and no other; of the others only those are tested that what is held out shows.
  const runs = (partOf: (run: number) => Part): Dataset['episodes'] =>
    dataset.episodes.map((run, number) => (run.source === site ? { ...run, part: partOf(number) } : run));
  const learnt = {
    ...dataset,
    ...withSite(old, taken),
    episodes: runs((run) => (taken.takenRuns.has(run) ? 'train' : 'test')),
  };
  const before = networkOf(record);
  const after = { ...before, parameters, calibration: uncalibrated };
  const windows = taken.taken.reduce((sum, row) => sum + row.taken, 0);
  for (const line of givenUp(record)) progress(line);
  const tuned: TrainingRecord = {
    ...record,
    ...(await calibrated(after, learnt, progress)),
    data: [
      ...record.data.filter(({ part }) => part !== heardInPeace),
      ...describeData(learnt).filter(({ source, part }) => source === site && part !== 'test'),
    ],
    tuned_to: [
      ...record.tuned_to,
      {
        source: site,
        windows,
        is_split: taken.isSplit,
        seed,
        share,
        old: oldShare,
        epochs,
        steps_per_epoch: stepsPerEpoch,
        learning_rate: learningRate,
      },
    ],
    parameters: pack(parameters),
  };
  const measured = {
    rows: dataset.rows,
    sequences: [...old.sequences.filter(({ part }) => part === 'validation'), ...taken.sequences.filter(isTest)],
    episodes: runs((run) => (taken.testedRuns.has(run) ? 'test' : 'train')),
    listenings: [],
  };
  return {
    record: tuned,
    tuning: {
      site,
      share,
      seed,
      taken: taken.taken,
      is_split: taken.isSplit,
      before: await tuningFigures(measured, record),
      after: await tuningFigures(measured, tuned),
    },
  };
}

/** What the network was trained on, without the site and without sites that it went on with before. */
function oldData({ rows, sequences, episodes, listenings }: Dataset, record: TrainingRecord, site: string): Dataset {
  const had = new Set(record.data.filter(({ part }) => part !== heardInPeace).map(({ source }) => source));
  if (had.has(site))
    throw new Error(`--site ${site}: the network was trained on it: there is nothing new to go on with`);
  const trained = had.difference(new Set(record.tuned_to.map(({ source }) => source)));
  const isOld = ({ source }: { readonly source: string }): boolean => trained.has(source);
  const old = { rows, episodes, sequences: sequences.filter(isOld), listenings: listenings.filter(isOld) };
  if (dataFingerprint(old) !== record.data_fingerprint) {
    throw new Error('these are not the data that it was trained on: give the same --flows, --tables and --captures');
  }
  return old;
}

/** What was chosen for the network as it was, and does not outlast its going on. */
function givenUp({ data, temperature, offset }: TrainingRecord): string[] {
  const heard = data.filter(({ part }) => part === heardInPeace);
  const hours = heard.reduce((sum, row) => sum + row.hours_in_peace, 0);
  return [
    `what scores mean is fitted again (temperature ${temperature.toFixed(2)} and offset ${offset.toFixed(2)} until now): thresholds of rules ask for other evidence`,
    ...(heard.length === 0
      ? []
      : [
          `the ${hours.toFixed(1)} hours in peace of ${heard.map(({ source }) => source).join(', ')} that calibrate heard have no say in the threshold any more`,
        ]),
  ];
}

function withSite({ sequences, listenings }: Dataset, taken: SiteShare): Pick<Dataset, 'sequences' | 'listenings'> {
  return { sequences: [...sequences, ...taken.sequences.filter((one) => !isTest(one))], listenings };
}

function isTest({ part }: WindowSequence): boolean {
  return part === 'test';
}

async function tunedParameters(
  { rows, episodes }: Dataset,
  old: Dataset,
  site: readonly WindowSequence[],
  record: TrainingRecord,
  options: TuningOptions,
  progress: (line: string) => void,
): Promise<Float32Array<ArrayBuffer>> {
  const { dropout, shares, ...recipe } = usualRecipe;
  const network = networkOf(record);
  const { scaler, design } = network;
  const initial = Float32Array.from(network.parameters);
  let random = seededRandom(options.seed);
  const setting = { random: () => random(), typical: scaler.mean.map((value) => Math.expm1(value)) };
  const known = new WindowSampler(old, 'train', { ...setting, shares });
  const own = { rows, episodes, sequences: site.filter(({ part }) => part === 'train'), listenings: [] };
  const isAttacked = own.sequences.some((one) =>
    [...one.atUs.keys()].some((number) => (labelWindow(rows, windowAt(one, number)) ?? 0) > 0),
  );
  // A site that nobody attacked borrows the attacks of the old data, among its own honest flows.
  const attacks = isAttacked ? [] : attacksOf(old);
  const fresh = new WindowSampler({ ...own, sequences: [...own.sequences, ...attacks] }, 'train', {
    ...setting,
    shares,
  });
  const oldWindows = Math.round(options.old * batchSize);
  const draw = () => joinedBlocks([known.draw(oldWindows), fresh.draw(batchSize - oldWindows)]);

  await using trainer = await Trainer.open(buildTrainGraph(scaler, initial, design), options.threads);
  let average: Float32Array<ArrayBuffer> = initial;
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    random = seededRandom(options.seed * 10_007 + epoch);
    const { delta } = trainer.state;
    const current = { ...network, parameters: initial.map((value, index) => value + delta[index]!) };
    for (const sampler of [known, fresh]) sampler.dwellOn(await hardNegatives(sampler, { rows }, current));
    await using adversary = await Adversary.open(buildPerturbGraph(current));
    const { learningRate, stepsPerEpoch: steps } = options;
    const settings = { steps, draw, adversary, shares: recipe, dropout, learningRate, random };
    const { loss, average: now } = await trainEpoch(trainer, initial, average, settings);
    average = now;
    progress(`epoch ${epoch}: loss ${loss.toFixed(4)}`);
  }
  return average;
}

/** Training windows that hold an attack, benign ones left out. */
function attacksOf({ rows, sequences }: Dataset): WindowSequence[] {
  return sequences
    .filter(({ part }) => part === 'train')
    .map((one) => windowsOf(one, (window) => (labelWindow(rows, window) ?? 0) > 0))
    .filter(({ windows }) => windows.length > 0);
}
