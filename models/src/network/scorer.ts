/** Runs a detect graph over any number of windows, in blocks. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { classCount } from './network-parameters.ts';

/** More of them no longer fit into the caches of a processor. */
const blockSize = 64;

export interface ScorableWindows {
  readonly count: number;
  /** count × 10 × 78, raw. */
  readonly windows: Float32Array;
  readonly flowsSeen: Float32Array;
  /** count × 10 × 7 */
  readonly flowContext: Float32Array;
}

export class Scorer implements AsyncDisposable {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** `model` is a detect.onnx. */
  static async open(model: Buffer): Promise<Scorer> {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new Scorer(await InferenceSession.create(model, options));
  }

  /** Probabilities, count × classes. */
  async score(input: ScorableWindows): Promise<Float32Array> {
    const size = windowLength * featureCount;
    const probabilities = new Float32Array(input.count * classCount);
    for (let from = 0; from < input.count; from += blockSize) {
      const to = Math.min(input.count, from + blockSize);
      const result = await this.#session.run({
        windows: new Tensor('float32', input.windows.subarray(from * size, to * size), [
          to - from,
          windowLength,
          featureCount,
        ]),
        flows_seen: new Tensor('float32', input.flowsSeen.subarray(from, to), [to - from]),
        ...this.#contextOf(input, from, to),
      });
      probabilities.set(result['probabilities']!.data as Float32Array, from * classCount);
    }
    return probabilities;
  }

  /** Graphs of older bundles have no such input. */
  #contextOf({ flowContext }: ScorableWindows, from: number, to: number): Record<string, Tensor> {
    if (!this.#session.inputNames.includes('flow_context')) return {};
    const values = flowContext.subarray(from * flowContextSize, to * flowContextSize);
    return { flow_context: new Tensor('float32', values, [to - from, windowLength, flowContextWidth]) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}

/** Probabilities, count × classes. */
export async function scoreWindows(model: Buffer, input: ScorableWindows): Promise<Float32Array> {
  await using scorer = await Scorer.open(model);
  return await scorer.score(input);
}
