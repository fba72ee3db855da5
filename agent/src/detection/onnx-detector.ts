/** Runs a verified bundle on onnxruntime: one thread, from bytes in memory, without rewriting the graph at load. */
import type { BundleReference, ModelManifest } from '@picket/shared/contract/model-manifest';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize } from '@picket/shared/features/flow-context';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Detection, Detector, ExplainableWindow, WindowBatch } from './detector.ts';
import { attribute, contextFor } from './explain-prediction.ts';
import { referenceOf, type ModelBundle } from './model-bundle.ts';

export const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // Constant folding is how a small file becomes a large process; our graphs are fused already.
  graphOptimizationLevel: 'disabled',
  // An arena keeps the largest batch it ever saw for good; ours take a millisecond either way.
  enableCpuMemArena: false,
  enableMemPattern: false,
  logSeverityLevel: 3,
};

export class OnnxDetector implements Detector {
  readonly manifest: ModelManifest;
  readonly reference: BundleReference;
  readonly #detect: InferenceSession;
  readonly #explain: InferenceSession;

  private constructor(bundle: ModelBundle, detect: InferenceSession, explain: InferenceSession) {
    this.manifest = bundle.manifest;
    this.reference = referenceOf(bundle);
    this.#detect = detect;
    this.#explain = explain;
  }

  static async open(bundle: ModelBundle): Promise<OnnxDetector> {
    const detect = await InferenceSession.create(bundle.graphs['detect.onnx'], sessionOptions);
    const explain = await InferenceSession.create(bundle.graphs['explain.onnx'], sessionOptions);
    return new OnnxDetector(bundle, detect, explain);
  }

  async detect(batch: WindowBatch): Promise<Detection> {
    const startedAt = performance.now();
    const { count } = batch;
    const result = await this.#detect.run({
      windows: new Tensor('float32', batch.windows.subarray(0, count * windowLength * featureCount), [
        count,
        windowLength,
        featureCount,
      ]),
      flows_seen: new Tensor('float32', Float32Array.from(batch.flowsSeen.subarray(0, count)), [count]),
      ...contextFor(this.#detect, batch.flowContext.subarray(0, count * flowContextSize), count),
    });
    return {
      scores: result['scores']!.data as Float32Array,
      probabilities: result['probabilities']!.data as Float32Array,
      latencyMs: performance.now() - startedAt,
    };
  }

  async explain(window: ExplainableWindow): Promise<Float32Array> {
    return (await attribute(this.#explain, window)).attributions;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#detect.release();
    await this.#explain.release();
  }
}
