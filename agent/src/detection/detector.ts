/** PORT. Windows in, scores out; what runs the network is the adapter's business. */
import type { Explanation } from '@picket/shared/contract/prediction';
import type { ModelManifest } from '@picket/shared/contract/model-manifest';

/** Windows of several devices, to be scored in one call. */
export interface WindowBatch {
  readonly count: number;
  /**
   * count × 10 × 78 raw features (NaN and infinities already 0), oldest flow first; present flows stand in the last
   * `flowsSeen` slots, the slots before them are 0.
   */
  readonly windows: Float32Array<ArrayBuffer>;
  /** 1 to 10 per window. */
  readonly flowsSeen: Uint8Array<ArrayBuffer>;
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
  detect(batch: WindowBatch): Promise<Detection>;
  /** Why this one window (10 × 78) got its score: integrated gradients, top ten features and share of each flow. */
  explain(window: Float32Array<ArrayBuffer>, flowsSeen: number): Promise<Explanation>;
}
