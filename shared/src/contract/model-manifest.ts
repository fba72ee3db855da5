/** What a model bundle says of itself. Hashes bind the files, so a signature over the manifest covers the bundle. */
import { z } from 'zod';
import { FeatureProfile } from '../features/feature-profile.ts';
import { featureCount } from '../features/feature-schema.ts';
import { TrafficClass } from '../features/traffic-classes.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const ModelManifest = z.strictObject({
  format: z.literal(1),
  version: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,99}$/),
  created_at: z.iso.datetime(),
  /** Name → SHA-256 of every other file of the bundle that a program reads. */
  files: z.strictObject({
    'detect.onnx': Sha256,
    'explain.onnx': Sha256,
    'train.onnx': Sha256,
    /** Adversarial changes within what packets can do; only the self-test needs it. */
    'perturb.onnx': Sha256.optional(),
    'model-card.md': Sha256.optional(),
    /** What it was trained on: sources, splits, seeds. */
    'training-manifest.json': Sha256.optional(),
  }),
  feature_schema_hash: Sha256,
  feature_profile: FeatureProfile,
  /** Indices of features the network does not look at. */
  masked_features: z.array(z.int().min(0).max(77)),
  window_length: z.int().min(1),
  /** Version of the `flow_context` that the network was taught; bundles that were built before there was a second say nothing. */
  flow_context: z.int().min(1).default(1),
  /** Order of the class output. */
  classes: z.array(TrafficClass).min(2),
  /** Calibrated on validation data: score ≥ threshold is an attack. */
  threshold: z.number().min(0).max(1),
  /** Logits were divided by this, on validation data, so that a score of 0.9 means nine in ten. Inside the graphs already. */
  calibration: z.strictObject({ temperature: z.number().positive() }).optional(),
  /**
   * The typical flow of the training data, one value per feature in its own unit: what an explanation starts from, and
   * what a feature is compared with while a device's own normal is not known.
   */
  typical_flow: z.array(z.number()).length(featureCount).optional(),
  /** Headline figures of the card, machine readable. */
  metrics: z.record(z.string(), z.number()),
});
export type ModelManifest = z.infer<typeof ModelManifest>;

export type BundleFile = keyof ModelManifest['files'];

/** Names a bundle in force or wanted: a version is for people, the hash of the manifest says which bytes. */
export const BundleReference = z.strictObject({
  version: ModelManifest.shape.version,
  manifest_sha256: Sha256,
});
export type BundleReference = z.infer<typeof BundleReference>;

/** `typ` header of `signature.jws`: nothing else that is signed can be taken for it. */
export const bundleTyp = 'picket-bundle+jws';

/** Payload of `signature.jws`, a compact JWS (EdDSA): somebody with this key vouches for the bundle of this manifest. */
export const BundleSignature = z.strictObject({
  version: ModelManifest.shape.version,
  manifest_sha256: Sha256,
  signed_at: z.iso.datetime(),
});
export type BundleSignature = z.infer<typeof BundleSignature>;
