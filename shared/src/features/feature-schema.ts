/**
 * The 78 flow features in the order of CIC-IDS2017, which is the order of every feature vector in the product.
 * Names, units and meanings are data (`flow-features.json`), so that any language can read them.
 */
import flowFeatures from './flow-features.json' with { type: 'json' };

/** How many numbers describe one flow. */
export const featureCount = 78;

/** How many flows make one window. */
export const windowLength = 10;

export interface FlowFeature {
  /** Name in the published CIC-IDS2017 tables, without their leading spaces. */
  readonly name: string;
  /** Name in CICFlowMeter 4 and in the corrected data sets. */
  readonly newer_name: string;
  readonly unit: string;
  readonly meaning: string;
}

export const features: readonly FlowFeature[] = flowFeatures;

export const featureNames: readonly string[] = features.map((feature) => feature.name);

/**
 * SHA-256 of the feature names joined by newlines. A model's manifest carries it, and an agent refuses a model whose
 * hash differs: the columns would not mean what the network learned. A test recomputes it.
 */
export const featureSchemaHash = '324134509dcfe342b29121a5c9e31e84ae9c9722f55829c370810ed36c86554a';
