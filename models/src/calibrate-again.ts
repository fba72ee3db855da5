/**
 * The threshold of a trained network, chosen again on more hours of peace. A few hours bound no rate of one alert a day,
 * and whoever has listened to gateways for longer knows more than the validation part does. And, where that is asked for, what
 * its scores mean, for networks of which nobody fitted it, or by less data.
 */
import { calibrationOf, chooseThreshold } from './calibrate.ts';
import { dataFingerprint } from './data-fingerprint.ts';
import { describeData, heardInPeace } from './data-description.ts';
import type { DataDescription } from './data-description.ts';
import type { Dataset } from './dataset/flow-rows.ts';
import { readFlowPacks } from './dataset/read-flow-packs.ts';
import { buildDetectGraph } from './network/bundle-graphs.ts';
import type { Calibration } from './network/cnn-lstm.ts';
import { Scorer } from './network/scorer.ts';
import { networkOf, type TrainingRecord } from './training-record.ts';

export interface CalibrationChoice {
  /** Packed flows of gateways that nobody attacked, each folder a source of its own. */
  readonly peace: readonly string[];
  /** Fit what scores mean again. Rules whose thresholds were chosen for the scores as they were ask for other evidence then. */
  readonly scores: boolean;
}

/**
 * Asked before any data are read, which takes minutes.
 * @throws {Error} where the network went on with a site
 */
export function requireUntuned(record: Pick<TrainingRecord, 'tuned_to'>): void {
  if (record.tuned_to.length === 0) return;
  // With the site the data are others than those of its training, and without it the site would lose its say in the threshold.
  const sites = record.tuned_to.map(({ source }) => source).join(', ');
  throw new Error(
    `this network went on with ${sites}, and tune chose what its scores mean and its threshold: calibrate the network that it came from and use that, ` +
      `or tune that again with more of ${sites} (--share)`,
  );
}

/**
 * By the rules that training goes by, over the validation part and the packed flows in the folders. The weights stay as
 * they are. `dataset` is what the network was trained on; the folders' flows are added.
 * @throws {Error} where the dataset is another one, a folder holds an attack, or flows of it were heard before
 */
export async function calibrateAgain(
  dataset: Dataset,
  record: TrainingRecord,
  { peace, scores }: CalibrationChoice,
  progress: (line: string) => void,
): Promise<TrainingRecord> {
  if (dataFingerprint(dataset) !== record.data_fingerprint) {
    throw new Error('these are not the data that it was trained on: give the same --flows, --tables and --captures');
  }
  const heard = peace.flatMap((folder) => addPeace(dataset, folder));
  const network = networkOf(record);
  const calibration = scores ? await calibrationOf(network, dataset) : network.calibration;
  if (scores) progress(`${toldOf(calibration)} instead of ${toldOf(network.calibration)}`);
  await using scorer = await Scorer.open(buildDetectGraph({ ...network, calibration }));
  const { threshold, reason } = await chooseThreshold(
    { name: 'network', score: (windows) => scorer.score(windows) },
    dataset,
  );
  progress(`threshold ${threshold.toFixed(5)} instead of ${record.threshold.toFixed(5)}: ${reason}`);
  const before = record.data.filter(({ part }) => part !== heardInPeace);
  return { ...record, ...calibration, data: [...before, ...heard], threshold, threshold_reason: reason };
}

function toldOf({ temperature, offset }: Calibration): string {
  return `temperature ${temperature.toFixed(3)}, offset ${offset.toFixed(3)}`;
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
