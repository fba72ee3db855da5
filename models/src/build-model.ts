/** Packs a trained network into a bundle: graphs, manifest, card; and pins it in the agent that ships it. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import { featureSchemaHash, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { Evaluation } from './evaluate-model.ts';
import { writeModelCard } from './model-card.ts';
import { buildDetectGraph, buildExplainGraph, buildTrainGraph } from './network/bundle-graphs.ts';
import { networkOf } from './training-record.ts';
import type { TrainingRecord } from './training-record.ts';

export interface BundleOptions {
  readonly folder: string;
  readonly version: string;
  readonly createdAt: Date;
}

/** Writes the bundle and returns the SHA-256 of its manifest. */
export function buildBundle(record: TrainingRecord, evaluation: Evaluation, options: BundleOptions): string {
  const network = networkOf(record);
  const graphs = {
    'detect.onnx': buildDetectGraph(network),
    'explain.onnx': buildExplainGraph(network),
    'train.onnx': buildTrainGraph(network.scaler, network.parameters),
  };
  mkdirSync(options.folder, { recursive: true });
  for (const [name, bytes] of Object.entries(graphs)) writeFileSync(join(options.folder, name), bytes);
  const manifest = ModelManifest.parse({
    format: 1,
    version: options.version,
    created_at: options.createdAt.toISOString(),
    files: Object.fromEntries(Object.entries(graphs).map(([name, bytes]) => [name, sha256(bytes)])),
    feature_schema_hash: featureSchemaHash,
    feature_profile: 'fixed',
    masked_features: record.masked_features,
    window_length: windowLength,
    classes: trafficClasses,
    threshold: record.threshold,
    calibration: { temperature: network.temperature },
    typical_flow: [...network.scaler.mean].map((mean) => Number(Math.expm1(mean).toPrecision(6))),
    metrics: headlineMetrics(evaluation),
  } satisfies { readonly [Key in keyof ModelManifest]-?: unknown });
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  writeFileSync(join(options.folder, 'manifest.json'), text);
  writeFileSync(join(options.folder, 'model-card.md'), writeModelCard(manifest, record, evaluation));
  return sha256(Buffer.from(text));
}

/** The line that ties the agent to the bundle that it ships with. */
export function pinBundle(file: string, version: string, manifestHash: string): void {
  writeFileSync(
    file,
    `/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by \`models build --pin\`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(
  new URL('../../../models/bundles/${version}', import.meta.url),
);

export const shippedManifestSha256 = '${manifestHash}';
`,
  );
}

function headlineMetrics(evaluation: Evaluation): Record<string, number> {
  return Object.fromEntries(
    evaluation.sources.flatMap(({ source, classes, benign_windows, macro_f1, pr_auc, false_alarm_share }) => [
      ...(classes.length > 0
        ? [
            [`${source}_macro_f1`, rounded(macro_f1)],
            [`${source}_pr_auc`, rounded(pr_auc)],
          ]
        : []),
      ...(benign_windows > 0 ? [[`${source}_false_alarm_share`, rounded(false_alarm_share)]] : []),
    ]),
  );
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
