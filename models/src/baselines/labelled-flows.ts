/** Single flows and what they are: what the baselines learn from. */
export interface LabelledFlows {
  readonly count: number;
  /** count × 78 */
  readonly features: Float32Array;
  readonly labels: Uint8Array;
  /** So that benign and attack weigh the same, and every attack class as much as any other. */
  readonly weights: Float64Array;
}
