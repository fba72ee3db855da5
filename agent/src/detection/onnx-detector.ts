/** Runs a verified bundle on onnxruntime: one thread, from bytes in memory, without rewriting the graph at load. */
import type { BundleReference, ModelManifest } from '@picket/shared/contract/model-manifest';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize } from '@picket/shared/features/flow-context';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Detection, Detector, ExplainableWindow, WindowBatch } from './detector.ts';
import { attribute, contextFor } from './explain-prediction.ts';
import { referenceOf, type ModelBundle } from './model-bundle.ts';

const windowSize = windowLength * featureCount;

/** Of every session, so that the probe sees what the detector does. */
export const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // Constant folding is how a small file becomes a large process; our graphs are fused already.
  graphOptimizationLevel: 'disabled',
  // Without them every tensor is allocated anew, and of the larger ones the kernel maps and clears the pages each time. They
  // keep what the largest block needed, a few MiB.
  enableCpuMemArena: true,
  enableMemPattern: true,
  logSeverityLevel: 3,
};

/** Windows that the network sees at once: more of them no longer fit into the caches of a small processor. */
const blockSize = 64;

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
    const scores: Float32Array[] = [];
    const probabilities: Float32Array[] = [];
    for (let from = 0; from < count; from += blockSize) {
      const result = await this.#run(batch, from, Math.min(count, from + blockSize));
      scores.push(result['scores']!.data as Float32Array);
      probabilities.push(result['probabilities']!.data as Float32Array);
    }
    return {
      scores: joined(scores),
      probabilities: joined(probabilities),
      latencyMs: performance.now() - startedAt,
    };
  }

  async #run(batch: WindowBatch, from: number, to: number): Promise<InferenceSession.OnnxValueMapType> {
    const count = to - from;
    const windows = batch.windows.subarray(from * windowSize, to * windowSize);
    return this.#detect.run({
      windows: new Tensor('float32', windows, [count, windowLength, featureCount]),
      flows_seen: new Tensor('float32', new Float32Array(batch.flowsSeen.subarray(from, to)), [count]),
      ...contextFor(this.#detect, batch.flowContext.subarray(from * flowContextSize, to * flowContextSize), count),
    });
  }

  async explain(window: ExplainableWindow): Promise<Float32Array> {
    return (await attribute(this.#explain, window)).attributions;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#detect.release();
    await this.#explain.release();
  }
}

function joined(blocks: readonly Float32Array[]): Float32Array {
  if (blocks.length === 1) return blocks[0]!;
  const all = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}
