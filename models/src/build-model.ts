/** Packs a trained network into a bundle: graphs, manifest, card; and pins it in the agent that ships it. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import { featureSchemaHash, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextVersion } from '@picket/shared/features/flow-context';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { Evaluation } from './evaluation/evaluation.ts';
import { writeModelCard } from './model-card.ts';
import type { CardExtras } from './card/card-extras.ts';
import { buildDetectGraph, buildExplainGraph, buildTrainGraph } from './network/bundle-graphs.ts';
import { buildPerturbGraph } from './network/perturb-graph.ts';
import { networkOf } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';

export interface BundleOptions {
  readonly folder: string;
  readonly version: string;
  readonly createdAt: Date;
}

/** Writes the bundle and returns the SHA-256 of its manifest. */
export function buildBundle(
  record: TrainingRecord,
  evaluation: Evaluation,
  extras: CardExtras,
  options: BundleOptions,
): string {
  const network = networkOf(record);
  const files: Record<string, Buffer> = {
    'detect.onnx': buildDetectGraph(network),
    'explain.onnx': buildExplainGraph(network),
    'train.onnx': buildTrainGraph(network.scaler, network.parameters, network.design),
    'perturb.onnx': buildPerturbGraph(network),
    'training-manifest.json': trainingManifest(record),
    'model-card.md': Buffer.from(writeModelCard(options.version, record, evaluation, extras)),
  };
  mkdirSync(options.folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(options.folder, name), bytes);
  const manifest = ModelManifest.parse({
    format: 1,
    version: options.version,
    created_at: options.createdAt.toISOString(),
    files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)])),
    feature_schema_hash: featureSchemaHash,
    feature_profile: 'fixed',
    masked_features: record.masked_features,
    window_length: windowLength,
    flow_context: flowContextVersion,
    classes: trafficClasses,
    threshold: record.threshold,
    calibration: { temperature: record.temperature, offset: record.offset },
    typical_flow: Array.from(network.scaler.mean, (value) => Math.max(0, Math.expm1(value))),
    metrics: headlineMetrics(evaluation),
  } satisfies Record<keyof ModelManifest, unknown>);
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  writeFileSync(join(options.folder, 'manifest.json'), text);
  return sha256(Buffer.from(text));
}

/** The line that ties the agent to the bundle that it ships with. */
export function pinBundle(file: string, version: string, manifestHash: string): void {
  writeFileSync(
    file,
    `/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by \`models build --pin\`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/${version}', import.meta.url));

export const shippedManifestSha256 = '${manifestHash}';
`,
  );
}

/** Which data, split how, trained with which seed: what it takes to train the same network again. */
function trainingManifest(record: TrainingRecord): Buffer {
  const { seed, data, data_fingerprint, epochs, best_epoch, design, left_out_classes, tuned_to } = record;
  const manifest = {
    format: 1,
    seed,
    epochs: epochs.length,
    best_epoch,
    design,
    data_fingerprint,
    ...(left_out_classes.length > 0 && { left_out_classes }),
    ...(tuned_to.length > 0 && { tuned_to }),
    data,
  };
  return Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`);
}

function headlineMetrics({ network }: Evaluation): Record<string, number> {
  const windows = network.sources.flatMap(
    ({ source, part, classes, benign_windows, macro_f1, pr_auc_mostly_benign, false_alarm_share }) => [
      ...(classes.length > 0
        ? [
            [`${source}_${part}_macro_f1`, rounded(macro_f1)],
            [`${source}_${part}_pr_auc`, rounded(pr_auc_mostly_benign)],
          ]
        : []),
      ...(benign_windows > 0 ? [[`${source}_${part}_false_alarm_share`, rounded(false_alarm_share)]] : []),
    ],
  );
  const quiet = network.quiet
    .filter(({ attacked }) => !attacked)
    .flatMap(({ source, part, per_gateway_day, told }) => [
      [`${source}_${part}_false_alerts_per_gateway_day`, rounded(per_gateway_day)],
      ...(told === undefined
        ? []
        : [[`${source}_${part}_told_false_alerts_per_gateway_day`, rounded(told.per_gateway_day)]]),
    ]);
  return Object.fromEntries([...windows, ...quiet]);
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
