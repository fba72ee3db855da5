/** PORT. Windows in, scores out; what runs the network is the adapter's business. */
import type { BundleReference, ModelManifest } from '@picket/shared/contract/model-manifest';
import { featureCount } from '@picket/shared/features/feature-schema';
import { flowContextWidth } from '@picket/shared/features/flow-context';

/** What a row of attributions holds: features, then the context. */
export const attributionWidth = featureCount + flowContextWidth;

/** Windows that are scored in one call at most. */
export const maxBatchWindows = 256;

/** Windows of several devices, to be scored in one call. Columns of `count` windows; one may be longer. */
export interface WindowBatch {
  readonly count: number;
  /**
   * count × 10 × 78 raw features (NaN and infinities already 0), oldest flow first; present flows stand in the last
   * `flowsSeen` slots, the slots before them are 0.
   */
  readonly windows: Float32Array<ArrayBuffer>;
  /** 1 to 10 per window. */
  readonly flowsSeen: Uint8Array<ArrayBuffer>;
  /** count × 10 × 7, see `@picket/shared/features/flow-context`; a bundle that does not ask for it does not get it. */
  readonly flowContext: Float32Array<ArrayBuffer>;
}

/** One window of a batch. */
export interface ExplainableWindow {
  /** 10 × 78 */
  readonly features: Float32Array<ArrayBuffer>;
  readonly flowsSeen: number;
  /** 10 × 7 */
  readonly flowContext: Float32Array<ArrayBuffer>;
}

export interface Detection {
  /** P(attack) per window. */
  readonly scores: Float32Array;
  /** count × classes, rows sum to 1, in the manifest's order. */
  readonly probabilities: Float32Array;
  /** Of the whole batch. */
  readonly latencyMs: number;
}

export interface Detector extends AsyncDisposable {
  readonly manifest: ModelManifest;
  /** The bundle it runs. */
  readonly reference: BundleReference;
  /** The batch is lent: it stays as it is until this resolves. */
  detect(batch: WindowBatch): Promise<Detection>;
  /**
   * Why this one window got its score: how much each feature of each flow and each number of its context moved the logit of the
   * score on the way from typical flows of old friends in quiet times to this window. 10 × 85, a row per slot: 78 features, then the 7
   * of the context, 0 where the bundle does not attribute to them; signed; integrated gradients.
   */
  explain(window: ExplainableWindow): Promise<Float32Array>;
}
