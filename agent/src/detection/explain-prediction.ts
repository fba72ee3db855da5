/**
 * Integrated gradients of the score's logit, from typical training flows of old friends in quiet times to one window, as the explain
 * graph computes them. What they mean to people is said in `verdict/explain-window.ts`.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { attributionWidth, type ExplainableWindow } from './detector.ts';

/** Points between baseline and window. */
const steps = 32;
const alphas = midpoints(steps);
const weights = new Float32Array(steps).fill(1 / steps);

export interface Attribution {
  /** 10 × 85, see `Detector.explain`; sums to logit(window) − logit(baseline) but for the error of the sum over steps. */
  readonly attributions: Float32Array;
  /** Of the score at each point asked for. */
  readonly logits: Float32Array;
}

/** Runs the explain graph at the given points of the way from baseline (0) to window (1). */
export async function attribute(
  session: InferenceSession,
  { features, flowsSeen, flowContext }: ExplainableWindow,
  points = alphas,
  pointWeights = weights,
): Promise<Attribution> {
  const result = await session.run({
    windows: new Tensor('float32', features, [1, windowLength, featureCount]),
    flows_seen: new Tensor('float32', Float32Array.of(flowsSeen), [1]),
    ...contextFor(session, flowContext, 1),
    alphas: new Tensor('float32', points, [points.length]),
    weights: new Tensor('float32', pointWeights, [pointWeights.length]),
  });
  return {
    attributions: rowsOf(
      result['attributions']!.data as Float32Array,
      result['context_attributions']?.data as Float32Array | undefined,
    ),
    logits: result['logits']!.data as Float32Array,
  };
}

/** Row beside row. Older bundles attribute nothing to the context. Throws where a graph answers another count of numbers. */
function rowsOf(ofFeatures: Float32Array, ofContext: Float32Array = new Float32Array(flowContextSize)): Float32Array {
  if (ofFeatures.length !== windowLength * featureCount || ofContext.length !== flowContextSize)
    throw new RangeError(`${ofFeatures.length} and ${ofContext.length} attributions are not those of a window`);
  const rows = new Float32Array(windowLength * attributionWidth);
  for (let slot = 0; slot < windowLength; slot++) {
    const at = slot * attributionWidth;
    rows.set(ofFeatures.subarray(slot * featureCount, (slot + 1) * featureCount), at);
    rows.set(ofContext.subarray(slot * flowContextWidth, (slot + 1) * flowContextWidth), at + featureCount);
  }
  return rows;
}

/** The input `flow_context` of `count` windows, for graphs that have one: those of older bundles do not. */
export function contextFor(session: InferenceSession, values: Float32Array, count: number): Record<string, Tensor> {
  if (!session.inputNames.includes('flow_context')) return {};
  return { flow_context: new Tensor('float32', values, [count, windowLength, flowContextWidth]) };
}

/** The middles of `count` equal parts of the way. */
export function midpoints(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, step) => (step + 0.5) / count);
}
