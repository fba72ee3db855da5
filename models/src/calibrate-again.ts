/**
 * The threshold of a trained network, chosen again on more hours of peace. A few hours bound no rate of one alert a day,
 * and whoever has listened to gateways for longer knows more than the validation part does.
 */
import { chooseThreshold } from './calibrate.ts';
import { dataFingerprint } from './data-fingerprint.ts';
import { describeData, heardInPeace } from './data-description.ts';
import type { DataDescription } from './data-description.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import { readFlowPacks } from './dataset/read-flow-packs.ts';
import { buildDetectGraph } from './network/bundle-graphs.ts';
import { Scorer } from './network/scorer.ts';
import { networkOf, type TrainingRecord } from './training-record.ts';

/**
 * By the rule that training chooses it by, over the validation part and the packed flows in the folders, each a source of
 * its own. The weights stay as they are. `dataset` is what the network was trained on; the folders' flows are added.
 * @throws {Error} where the dataset is another one, a folder holds an attack, or flows of it were heard before
 */
export async function calibrateAgain(
  dataset: Dataset,
  record: TrainingRecord,
  folders: readonly string[],
  progress: (line: string) => void,
): Promise<TrainingRecord> {
  if (dataFingerprint(dataset) !== record.data_fingerprint) {
    throw new Error('these are not the data that it was trained on: give the same --flows, --tables and --captures');
  }
  const heard = folders.flatMap((folder) => addPeace(dataset, folder));
  await using scorer = await Scorer.open(buildDetectGraph(networkOf(record)));
  const { threshold, reason } = await chooseThreshold(
    { name: 'network', score: (windows) => scorer.score(windows) },
    dataset,
  );
  progress(`threshold ${threshold.toFixed(4)} instead of ${record.threshold.toFixed(4)}: ${reason}`);
  const before = record.data.filter(({ part }) => part !== heardInPeace);
  return { ...record, data: [...before, ...heard], threshold, threshold_reason: reason };
}

/** As validation data, whatever part the packs say they are: a threshold was chosen by them. */
function addPeace(dataset: Dataset, folder: string): DataDescription[] {
  const { sequences, listenings, episodes } = dataset;
  const [sequencesBefore, listeningsBefore, episodesBefore] = [sequences.length, listenings.length, episodes.length];
  const known = new Set(sequences.map(({ source }) => source));
  readFlowPacks(folder, dataset);
  const added = {
    ...dataset,
    sequences: sequences.splice(sequencesBefore).map((sequence) => ({ ...sequence, part: 'validation' as const })),
    listenings: listenings.splice(listeningsBefore).map((one) => ({ ...one, part: 'validation' as const })),
    episodes: episodes.slice(episodesBefore),
  };
  const attacked = added.listenings.find(({ isAttacked }) => isAttacked);
  if (attacked !== undefined) {
    throw new Error(`--peace ${folder}: ${attacked.capture} holds an attack: give gateways that nobody attacked`);
  }
  const twice = added.sequences.find(({ source }) => known.has(source));
  if (twice !== undefined) {
    throw new Error(`--peace ${folder}: there is a source "${twice.source}" already: give the folder another name`);
  }
  sequences.push(...added.sequences);
  listenings.push(...added.listenings);
  return describeData(added).map((entry) => ({ ...entry, part: heardInPeace }));
}
