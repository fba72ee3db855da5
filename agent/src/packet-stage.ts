/**
 * The packet thread as the main thread sees it: flows come out, credits go in. The packet thread never waits for the
 * main thread on a live interface; without a credit it drops the batch and counts it. A file can wait, so it does.
 */
import { Worker } from 'node:worker_threads';
import type { CaptureDoorAddress } from './capture/capture-door-client.ts';
import type { InputProgress } from './capture/pcap-file-source.ts';
import { AgentError, type AgentErrorCode } from './errors.ts';
import { type FlowBatch, flowBatchBuffers } from './features/flow-batch.ts';
import { workerHeap } from './memory-plan.ts';
import type { AgentConfig } from './config/agent-config.ts';
import type { ReportPace } from './flow/report-pace.ts';
import type { FeatureProfile } from '@picket/shared/features/feature-profile';

/** Everything the packet thread counts, since it started. */
export interface PacketCounters {
  readonly packets: number;
  readonly bytes: number;
  readonly undecodable: number;
  readonly droppedKernel: number;
  readonly restarts: number;
  readonly flows: number;
  readonly reports: number;
  readonly activeFlows: number;
  readonly evicted: number;
  readonly latePackets: number;
  readonly timeSteps: number;
  /** Flows that were ready while the main thread was too far behind. */
  readonly droppedFlows: number;
  /** How far the file that is being read was read. */
  readonly input?: InputProgress;
}

export const noPackets: PacketCounters = {
  packets: 0,
  bytes: 0,
  undecodable: 0,
  droppedKernel: 0,
  restarts: 0,
  flows: 0,
  reports: 0,
  activeFlows: 0,
  evicted: 0,
  latePackets: 0,
  timeSteps: 0,
  droppedFlows: 0,
};

export interface PacketWorkerData {
  readonly capture: AgentConfig['capture'];
  /** Where captures are started for a process that may not. Undefined: here. */
  readonly captureDoor?: CaptureDoorAddress | undefined;
  readonly flowCapacity: number;
  readonly reportPace: ReportPace;
  readonly profile: FeatureProfile;
  /** Batches that may be under way to the main thread. */
  readonly credits: number;
  /** Rises with each request, for a thread that sleeps instead of turning its event loop. */
  readonly bell: Int32Array<SharedArrayBuffer>;
}

export type PacketWorkerMessage =
  /** The first source delivers from now on. */
  | { readonly type: 'opened' }
  | { readonly type: 'flows'; readonly batch: FlowBatch }
  | { readonly type: 'counters'; readonly counters: PacketCounters }
  | { readonly type: 'quiet'; readonly nowUs: number }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'end'; readonly counters: PacketCounters }
  | {
      readonly type: 'failed';
      readonly code: AgentErrorCode | undefined;
      readonly message: string;
      readonly counters: PacketCounters;
    };

export type PacketWorkerRequest =
  /** The batch has been judged; its buffers come back to be filled again. */
  { readonly type: 'credit'; readonly batch: FlowBatch } | { readonly type: 'stop' };

const stopGraceMs = 1000;

export interface PacketStageHandlers {
  /** Give a credit back when the promise settles: that is what bounds the queue. */
  onFlows(batch: FlowBatch): Promise<void>;
  /** A live interface is silent, and it is this late (µs since 1970). */
  onQuiet(nowUs: number): Promise<void>;
  onWarning(text: string): void;
}

export class PacketStage implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #bell: Int32Array<SharedArrayBuffer>;
  readonly #ended: Promise<void>;
  readonly #opened = Promise.withResolvers<void>();
  /** Of a live interface: so many batches under way and it is behind. */
  readonly #manyUnderWay: number;
  #underWay = 0;
  #counters: PacketCounters = noPackets;

  private constructor(
    worker: Worker,
    bell: Int32Array<SharedArrayBuffer>,
    manyUnderWay: number,
    handlers: PacketStageHandlers,
  ) {
    this.#worker = worker;
    this.#bell = bell;
    this.#manyUnderWay = manyUnderWay;
    this.#ended = new Promise((resolve, reject) => {
      worker.on('message', (message: PacketWorkerMessage) => {
        switch (message.type) {
          case 'opened':
            this.#opened.resolve();
            break;
          case 'flows':
            this.#underWay += 1;
            handlers.onFlows(message.batch).then(() => this.#giveBack(message.batch), reject);
            break;
          case 'counters':
            this.#counters = message.counters;
            break;
          case 'quiet':
            handlers.onQuiet(message.nowUs).catch(reject);
            break;
          case 'warning':
            handlers.onWarning(message.text);
            break;
          case 'end':
            this.#counters = message.counters;
            resolve();
            break;
          case 'failed':
            this.#counters = message.counters;
            reject(
              message.code === undefined ? new Error(message.message) : new AgentError(message.code, message.message),
            );
            break;
        }
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`the packet thread ended before its input (code ${code})`)));
    });
    this.#ended.then(this.#opened.resolve, this.#opened.reject);
    this.#opened.promise.catch(() => undefined); // whoever asks gets it through `ended` or `opened`
  }

  static start(options: Omit<PacketWorkerData, 'bell'>, handlers: PacketStageHandlers): PacketStage {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const bell = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL(`./packet-worker.${extension}`, import.meta.url), {
      workerData: { ...options, bell } satisfies PacketWorkerData,
      resourceLimits: workerHeap,
    });
    const manyUnderWay = options.capture.source === 'live' ? options.credits / 2 : Infinity;
    return new PacketStage(worker, bell, manyUnderWay, handlers);
  }

  get counters(): PacketCounters {
    return this.#counters;
  }

  /**
   * Flows come faster than they are judged: more than half of the credits are out, and when all are, flows are dropped.
   * Never of a file, which waits.
   */
  get isBehind(): boolean {
    return this.#underWay > this.#manyUnderWay;
  }

  /** Resolves when packets are seen from now on; rejects as `ended` does. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Resolves when the source is exhausted or was stopped; rejects when it failed. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Stop capturing; flows that still live are handed over, then `ended` resolves. */
  stop(): void {
    this.#request({ type: 'stop' });
  }

  /** Lets the thread end its capture program, for a moment. */
  async [Symbol.asyncDispose](): Promise<void> {
    const exited = new Promise<void>((resolve) => {
      if (this.#worker.threadId === -1) resolve();
      else this.#worker.once('exit', () => resolve());
    });
    this.stop();
    const deadline = setTimeout(() => void this.#worker.terminate(), stopGraceMs);
    await exited;
    clearTimeout(deadline);
  }

  #giveBack(batch: FlowBatch): void {
    this.#underWay -= 1;
    this.#request({ type: 'credit', batch }, flowBatchBuffers(batch));
  }

  #request(request: PacketWorkerRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
    Atomics.add(this.#bell, 0, 1);
    Atomics.notify(this.#bell, 0);
  }
}
