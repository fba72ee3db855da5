/** What a model bundle says of itself. Hashes bind the files, so a signature over the manifest covers the bundle. */
import { z } from 'zod';
import { FeatureProfile } from '../features/feature-profile.ts';
import { TrafficClass } from '../features/traffic-classes.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const ModelManifest = z.strictObject({
  format: z.literal(1),
  version: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,99}$/),
  created_at: z.iso.datetime(),
  /** Name → SHA-256 of every other file of the bundle that a program reads. */
  files: z.strictObject({ 'detect.onnx': Sha256, 'explain.onnx': Sha256, 'train.onnx': Sha256 }),
  feature_schema_hash: Sha256,
  feature_profile: FeatureProfile,
  /** Indices of features the network does not look at. */
  masked_features: z.array(z.int().min(0).max(77)),
  window_length: z.int().min(1),
  /** Order of the class output. */
  classes: z.array(TrafficClass).min(2),
  /** Calibrated on validation data: score ≥ threshold is an attack. */
  threshold: z.number().min(0).max(1),
  /** Headline figures of the card, machine readable. */
  metrics: z.record(z.string(), z.number()),
});
export type ModelManifest = z.infer<typeof ModelManifest>;
