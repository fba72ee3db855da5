/** The dataset of a training run: packed flows of the range, published tables, captures, or any of them together. */
import type { CaptureSplit } from './capture-split.ts';
import type { Dataset } from './flow-rows.ts';
import { emptyDataset } from './flow-rows.ts';
import { readFlowPacks } from './read-flow-packs.ts';
import { readFlowTables } from './read-flow-tables.ts';
import { replayCaptures } from './replay-captures.ts';

export interface DatasetOptions {
  /** Folders of packed flows of the range. */
  readonly flows?: readonly string[] | undefined;
  /** Folder that holds cicids2017-improved/, iot-sentinel-benign-flows/ or cse-cic-ids2018-improved/. */
  readonly tables?: string | undefined;
  /** Folders of captures, with labels beside them or sorted into benign/ and attack/. */
  readonly captures?: readonly string[] | undefined;
  /** Which device types of tables and captures go to which part. */
  readonly split: CaptureSplit;
  readonly seed: number;
}

export async function readDataset(options: DatasetOptions, progress: (line: string) => void): Promise<Dataset> {
  const dataset = emptyDataset();
  for (const folder of options.flows ?? []) readFlowPacks(folder, dataset);
  if (options.tables !== undefined) readFlowTables(options.tables, options, dataset);
  for (const folder of options.captures ?? []) await replayCaptures(folder, options.split, dataset, progress);
  if (dataset.rows.count === 0) throw new Error('nothing to read: give --flows DIR, --tables DIR or --captures DIR');
  progress(`${dataset.rows.count} flows in ${dataset.sequences.length} stretches of traffic`);
  return dataset;
}
