/** Runs the training graph: holds the parameters' change and Adam's memory between steps. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { classCount, parameterCount } from './cnn-lstm.ts';
import { correctedLearningRate } from './gradients.ts';

export interface TrainingBlock {
  readonly count: number;
  /** count × 10 × 78, raw. */
  readonly windows: Float32Array;
  readonly flowsSeen: Float32Array;
  /** count × classes; a row's sum is its weight. */
  readonly targets: Float32Array;
}

export interface StepOptions {
  readonly learningRate: number;
  readonly clipNorm: number;
  /** FedProx; 0 for none. */
  readonly proximal: number;
}

export class Trainer implements AsyncDisposable {
  /** What training has added to the initial parameters so far. */
  delta = new Float32Array(parameterCount);
  readonly #session: InferenceSession;
  #momentum = new Float32Array(parameterCount);
  #velocity = new Float32Array(parameterCount);
  #steps = 0;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** `model` is a train.onnx. */
  static async open(model: Buffer, threads = 1): Promise<Trainer> {
    const options = { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new Trainer(await InferenceSession.create(model, options));
  }

  /** One step of Adam; the loss before it. */
  async step(block: TrainingBlock, options: StepOptions): Promise<number> {
    this.#steps += 1;
    const result = await this.#run(block, correctedLearningRate(options.learningRate, this.#steps), options);
    this.delta = result['next_delta']!.data as Float32Array<ArrayBuffer>;
    this.#momentum = result['next_momentum']!.data as Float32Array<ArrayBuffer>;
    this.#velocity = result['next_velocity']!.data as Float32Array<ArrayBuffer>;
    return (result['loss']!.data as Float32Array)[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }

  #run(block: TrainingBlock, learningRate: number, options: StepOptions): Promise<InferenceSession.OnnxValueMapType> {
    const vector = (values: Float32Array): Tensor => new Tensor('float32', values, [parameterCount]);
    const scalar = (value: number): Tensor => new Tensor('float32', Float32Array.of(value), []);
    return this.#session.run({
      windows: new Tensor('float32', block.windows, [block.count, windowLength, featureCount]),
      flows_seen: new Tensor('float32', block.flowsSeen, [block.count]),
      targets: new Tensor('float32', block.targets, [block.count, classCount]),
      delta: vector(this.delta),
      momentum: vector(this.#momentum),
      velocity: vector(this.#velocity),
      learning_rate: scalar(learningRate),
      clip_norm: scalar(options.clipNorm),
      proximal: scalar(options.proximal),
    });
  }
}
