/** Runs a perturb graph: attacks on the network within what packets can do. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { classCount } from './network-parameters.ts';

export interface AttackedWindows {
  readonly count: number;
  /** count × 10 × 78, raw. */
  readonly windows: Float32Array<ArrayBuffer>;
  readonly flowsSeen: Float32Array<ArrayBuffer>;
  /** count × 10 × 7 */
  readonly flowContext: Float32Array<ArrayBuffer>;
  /** True class numbers. */
  readonly labels: Uint8Array;
}

const blockSize = 256;

/** What a perturbed window is to be taken for: anything but what it is, or nothing at all. */
export type Aim = 'another-class' | 'benign';

export class Adversary implements AsyncDisposable {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** `model` is a perturb.onnx. */
  static async open(model: Buffer): Promise<Adversary> {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new Adversary(await InferenceSession.create(model, options));
  }

  /**
   * Windows within `epsilon` (standardised units) that the network likes less for what they are, or more for benign ones.
   * One step: FGSM; more: PGD.
   */
  async perturb(
    block: AttackedWindows,
    epsilon: number,
    steps = 1,
    aim: Aim = 'another-class',
  ): Promise<Float32Array<ArrayBuffer>> {
    const result = new Float32Array(block.windows.length);
    const size = windowLength * featureCount;
    for (let from = 0; from < block.count; from += blockSize) {
      const to = Math.min(block.count, from + blockSize);
      const targets = new Float32Array((to - from) * classCount);
      for (let index = from; index < to; index++) {
        // The graph leads away from its targets, and towards those of negative weight. Class 0 is benign.
        const at = (index - from) * classCount;
        if (aim === 'benign') targets[at] = -1;
        else targets[at + block.labels[index]!] = 1;
      }
      const origin = block.windows.subarray(from * size, to * size);
      let windows = origin;
      for (let step = 0; step < steps; step++) {
        const seen = block.flowsSeen.subarray(from, to);
        const context = block.flowContext.subarray(from * flowContextSize, to * flowContextSize);
        windows = await this.#step(windows, origin, seen, context, targets, {
          epsilon,
          // Small steps must be able to cross the whole ball, whichever way the first ones went.
          step: steps === 1 ? epsilon : (2.5 * epsilon) / steps,
        });
      }
      result.set(windows, from * size);
    }
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }

  async #step(
    windows: Float32Array<ArrayBuffer>,
    origin: Float32Array<ArrayBuffer>,
    flowsSeen: Float32Array<ArrayBuffer>,
    flowContext: Float32Array<ArrayBuffer>,
    targets: Float32Array<ArrayBuffer>,
    { step, epsilon }: { readonly step: number; readonly epsilon: number },
  ): Promise<Float32Array<ArrayBuffer>> {
    const count = flowsSeen.length;
    const shape = [count, windowLength, featureCount];
    const outcome = await this.#session.run({
      windows: new Tensor('float32', windows, shape),
      origin: new Tensor('float32', origin, shape),
      flows_seen: new Tensor('float32', flowsSeen, [count]),
      flow_context: new Tensor('float32', flowContext, [count, windowLength, flowContextWidth]),
      targets: new Tensor('float32', targets, [count, classCount]),
      step: new Tensor('float32', Float32Array.of(step), []),
      epsilon: new Tensor('float32', Float32Array.of(epsilon), []),
    });
    return outcome['perturbed']!.data as Float32Array<ArrayBuffer>;
  }
}
