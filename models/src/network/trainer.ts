/** Runs the training graph: holds the parameters' change and Adam's memory between steps. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextWidth } from '@picket/shared/features/flow-context';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { correctedLearningRate } from './gradients.ts';
import { classCount, parameterCount, summaryWidth } from './network-parameters.ts';

export interface TrainingBlock {
  readonly count: number;
  /** count × 10 × 78, raw. */
  readonly windows: Float32Array;
  readonly flowsSeen: Float32Array;
  /** count × 10 × 7 */
  readonly flowContext: Float32Array;
  /** count × classes; a row's sum is its weight. */
  readonly targets: Float32Array;
  /** count × 10 × classes, what each flow is on its own, times its weight; left out: nobody says. */
  readonly flowTargets?: Float32Array;
  /** count × summaryWidth; left out: nothing is dropped. */
  readonly keep?: Float32Array;
}

export interface StepOptions {
  readonly learningRate: number;
  readonly clipNorm: number;
  /** FedProx; 0 for none. */
  readonly proximal: number;
}

/** Where training stands: enough to go on from. */
export interface TrainerState {
  readonly delta: Float32Array<ArrayBuffer>;
  readonly momentum: Float32Array<ArrayBuffer>;
  readonly velocity: Float32Array<ArrayBuffer>;
  readonly steps: number;
}

const begin: TrainerState = {
  delta: new Float32Array(parameterCount),
  momentum: new Float32Array(parameterCount),
  velocity: new Float32Array(parameterCount),
  steps: 0,
};

export class Trainer implements AsyncDisposable {
  readonly #session: InferenceSession;
  #state: TrainerState;

  private constructor(session: InferenceSession, state: TrainerState) {
    this.#session = session;
    this.#state = state;
  }

  /** `model` is a train.onnx. */
  static async open(model: Buffer, threads = 1, state = begin): Promise<Trainer> {
    const options = { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new Trainer(await InferenceSession.create(model, options), state);
  }

  get state(): TrainerState {
    return this.#state;
  }

  /** One step of Adam; the loss before it. */
  async step(block: TrainingBlock, options: StepOptions): Promise<number> {
    const steps = this.#state.steps + 1;
    const result = await this.#run(block, correctedLearningRate(options.learningRate, steps), options);
    const vector = (name: string): Float32Array<ArrayBuffer> => result[name]!.data as Float32Array<ArrayBuffer>;
    this.#state = {
      delta: vector('next_delta'),
      momentum: vector('next_momentum'),
      velocity: vector('next_velocity'),
      steps,
    };
    return vector('loss')[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }

  #run(block: TrainingBlock, learningRate: number, options: StepOptions): Promise<InferenceSession.OnnxValueMapType> {
    const vector = (values: Float32Array): Tensor => new Tensor('float32', values, [parameterCount]);
    const scalar = (value: number): Tensor => new Tensor('float32', Float32Array.of(value), []);
    const keep = block.keep ?? new Float32Array(block.count * summaryWidth).fill(1);
    const flowTargets = block.flowTargets ?? new Float32Array(block.count * windowLength * classCount);
    return this.#session.run({
      windows: new Tensor('float32', block.windows, [block.count, windowLength, featureCount]),
      flows_seen: new Tensor('float32', block.flowsSeen, [block.count]),
      flow_context: new Tensor('float32', block.flowContext, [block.count, windowLength, flowContextWidth]),
      targets: new Tensor('float32', block.targets, [block.count, classCount]),
      flow_targets: new Tensor('float32', flowTargets, [block.count, windowLength, classCount]),
      keep: new Tensor('float32', keep, [block.count, summaryWidth]),
      delta: vector(this.#state.delta),
      momentum: vector(this.#state.momentum),
      velocity: vector(this.#state.velocity),
      learning_rate: scalar(learningRate),
      clip_norm: scalar(options.clipNorm),
      proximal: scalar(options.proximal),
    });
  }
}
