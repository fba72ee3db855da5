/** What a model bundle says of itself. Hashes bind the files, so a signature over the manifest covers the bundle. */
import { z } from 'zod';
import { FeatureProfile } from '../features/feature-profile.ts';
import { featureCount } from '../features/feature-schema.ts';
import { TrafficClass } from '../features/traffic-classes.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const ModelManifest = z
  .strictObject({
    format: z.literal(1),
    version: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{0,99}$/)
      .describe('Names the bundle: lower-case letters, digits, dots, hyphens.'),
    created_at: z.iso.datetime(),
    files: z
      .strictObject({
        'detect.onnx': Sha256,
        'explain.onnx': Sha256,
        'train.onnx': Sha256,
        'perturb.onnx': Sha256.optional().describe(
          'Adversarial changes within what packets can do; only the self-test needs it.',
        ),
        'model-card.md': Sha256.optional(),
        'training-manifest.json': Sha256.optional().describe('What it was trained on: sources, splits, seeds.'),
      })
      .describe('Name → SHA-256 of every other file of the bundle that a program reads.'),
    feature_schema_hash: Sha256.describe('Hash of the 78 features, their order and units.'),
    feature_profile: FeatureProfile.describe('What the features mean.'),
    masked_features: z.array(z.int().min(0).max(77)).describe('Indices of features the network does not look at.'),
    window_length: z.int().min(1).describe('Flows in a window.'),
    flow_context: z
      .int()
      .min(1)
      .default(1)
      .describe(
        'Version of the `flow_context` that the network was taught; bundles that were built before there was a second say nothing.',
      ),
    classes: z.array(TrafficClass).min(2).describe('Order of the class output.'),
    threshold: z.number().min(0).max(1).describe('Calibrated on validation data: score ≥ threshold is an attack.'),
    calibration: z
      .strictObject({
        temperature: z
          .number()
          .positive()
          .describe('Logits were divided by this, on validation data, so that a score of 0.9 means nine in ten.'),
        offset: z
          .number()
          .default(0)
          .describe(
            "Added to each attack's logit after that, in logits: the logit of the score rises by as much. Bundles that say nothing have none.",
          ),
      })
      .optional()
      .describe('How scores were made to mean what they say. Inside the graphs already.'),
    typical_flow: z
      .array(z.number())
      .length(featureCount)
      .optional()
      .describe(
        "The typical flow of the training data, one value per feature in its own unit: what an explanation starts from, and what a feature is compared with while a device's own normal is not known.",
      ),
    metrics: z.record(z.string(), z.number()).describe('Headline figures of the card, machine readable.'),
  })
  .meta({ id: 'ModelManifest' });
export type ModelManifest = z.infer<typeof ModelManifest>;

export type BundleFile = keyof ModelManifest['files'];

/** Names a bundle in force or wanted: a version is for people, the hash of the manifest says which bytes. */
export const BundleReference = z
  .strictObject({
    version: ModelManifest.shape.version,
    manifest_sha256: Sha256.describe('Names the bytes of the bundle.'),
  })
  .meta({ id: 'BundleReference' });
export type BundleReference = z.infer<typeof BundleReference>;

/** `typ` header of `signature.jws`: nothing else that is signed can be taken for it. */
export const bundleTyp = 'picket-bundle+jws';

/** Payload of `signature.jws`, a compact JWS (EdDSA): somebody with this key vouches for the bundle of this manifest. */
export const BundleSignature = z
  .strictObject({
    version: ModelManifest.shape.version,
    manifest_sha256: Sha256,
    signed_at: z.iso.datetime(),
  })
  .meta({ id: 'BundleSignature' });
export type BundleSignature = z.infer<typeof BundleSignature>;
