/** The dataset of a training run: published tables, captures of our own, or both. */
import { FlowRows } from './flow-rows.ts';
import type { Dataset } from './flow-rows.ts';
import { readFlowTables } from './read-flow-tables.ts';
import { replayCaptures } from './replay-captures.ts';

export interface DatasetOptions {
  /** Folder that holds cicids2017-improved/ and iot-sentinel-benign-flows/. */
  readonly tables?: string | undefined;
  /** Folders of captures with labels beside them. */
  readonly captures?: readonly string[] | undefined;
  readonly seed: number;
}

export async function readDataset(options: DatasetOptions, progress: (line: string) => void): Promise<Dataset> {
  const dataset: Dataset = { rows: new FlowRows(), sequences: [] };
  if (options.tables !== undefined) readFlowTables(options.tables, options.seed, dataset);
  for (const folder of options.captures ?? []) await replayCaptures(folder, dataset, progress);
  if (dataset.rows.count === 0) throw new Error('nothing to learn from: give --tables DIR, --captures DIR or both');
  progress(`${dataset.rows.count} flows in ${dataset.sequences.length} stretches of traffic`);
  return dataset;
}
