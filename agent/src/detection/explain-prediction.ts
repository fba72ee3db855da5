/**
 * Why a window got its score: integrated gradients of the score's logit, from the mean training flow to the window,
 * as the explain graph computes them, turned into the ten features that moved it most and the share of each flow.
 */
import type { Explanation, FeatureImportance } from '@picket/shared/contract/prediction';
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Points between baseline and window. */
const steps = 32;
const alphas = Float32Array.from({ length: steps }, (_, step) => (step + 0.5) / steps);
const weights = new Float32Array(steps).fill(1 / steps);
const topCount = 10;

export interface Attribution {
  /** 10 × 78, signed; sums to logit(window) − logit(baseline) but for the error of the sum over steps. */
  readonly attributions: Float32Array;
  /** Of the score at each point asked for. */
  readonly logits: Float32Array;
}

/** Runs the explain graph at the given points of the way from baseline (0) to window (1). */
export async function attribute(
  session: InferenceSession,
  window: Float32Array,
  flowsSeen: number,
  points = alphas,
  pointWeights = weights,
): Promise<Attribution> {
  const result = await session.run({
    windows: new Tensor('float32', window, [1, windowLength, featureCount]),
    flows_seen: new Tensor('float32', Float32Array.of(flowsSeen), [1]),
    alphas: new Tensor('float32', points, [points.length]),
    weights: new Tensor('float32', pointWeights, [pointWeights.length]),
  });
  return {
    attributions: result['attributions']!.data as Float32Array,
    logits: result['logits']!.data as Float32Array,
  };
}

/** Shares of the absolute attribution over the present flows. */
export function explanationOf(window: Float32Array, flowsSeen: number, attributions: Float32Array): Explanation {
  const firstFlow = windowLength - flowsSeen;
  const start = firstFlow * featureCount;
  const total = attributions.subarray(start).reduce((sum, value) => sum + Math.abs(value), 0) || 1;
  const order = Array.from({ length: flowsSeen * featureCount }, (_, index) => start + index)
    .filter((index) => attributions[index] !== 0)
    .sort((a, b) => Math.abs(attributions[b]!) - Math.abs(attributions[a]!));
  // One line per feature: where several flows share it, the flow that carried most stands for it.
  const top = new Map<number, FeatureImportance>();
  for (const index of order) {
    const column = index % featureCount;
    if (top.has(column)) continue;
    top.set(column, {
      feature: featureNames[column]!,
      value: window[index]!,
      importance: attributions[index]! / total,
      flow_index: Math.floor(index / featureCount) - firstFlow,
    });
    if (top.size === topCount) break;
  }
  const perFlow = Array.from({ length: flowsSeen }, (_, flow) =>
    attributions
      .subarray(start + flow * featureCount, start + (flow + 1) * featureCount)
      .reduce((sum, value) => sum + value, 0),
  );
  const flowTotal = perFlow.reduce((sum, value) => sum + Math.abs(value), 0) || 1;
  return { top_features: [...top.values()], flow_importance: perFlow.map((value) => value / flowTotal) };
}
