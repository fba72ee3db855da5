/** The detector as the main thread sees it: each call is a message to the detection thread. */
import { Worker } from 'node:worker_threads';
import type { BundleReference, ModelManifest } from '@picket/shared/contract/model-manifest';
import { shippedOnly, type BundleTrust } from './detection/bundle-trust.ts';
import type { Detection, Detector, ExplainableWindow, WindowBatch } from './detection/detector.ts';
import { BatchMailbox, type MailboxBuffers } from './detection/batch-mailbox.ts';
import { AgentError } from './errors.ts';
import { workerHeap } from './memory-plan.ts';

/** What the thread is started with. */
export interface DetectionWorkerData {
  /** Folder. */
  readonly bundle: string;
  readonly trust: BundleTrust;
  /** Undefined: whichever lies in the folder. */
  readonly expected: BundleReference | undefined;
  readonly mailbox: MailboxBuffers;
}

export type DetectionRequest =
  /** Of so many windows in the mailbox. */
  | { readonly type: 'detect'; readonly id: number; readonly count: number }
  | { readonly type: 'explain'; readonly id: number; readonly window: ExplainableWindow }
  | { readonly type: 'close' };

export type DetectionReply =
  | { readonly type: 'ready'; readonly manifest: ModelManifest; readonly reference: BundleReference }
  | { readonly type: 'detected'; readonly id: number; readonly detection: Detection }
  | { readonly type: 'explained'; readonly id: number; readonly attributions: Float32Array }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };

interface Pending {
  resolve(value: Detection & Float32Array): void;
  reject(reason: Error): void;
}

function stopped(reason: string): AgentError {
  return new AgentError(
    'unavailable',
    `detection has stopped: ${reason}; decisions in the kernel keep their time; start the agent again`,
  );
}

/** A batch takes milliseconds. */
const closeGraceMs = 2000;

export class WorkerDetector implements Detector {
  readonly manifest: ModelManifest;
  readonly reference: BundleReference;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #mailbox: BatchMailbox;
  /** The mailbox holds one batch at a time. */
  #mailboxIsFree: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #failure: Error | undefined;

  private constructor(worker: Worker, mailbox: BatchMailbox, bundle: Pick<WorkerDetector, 'manifest' | 'reference'>) {
    this.#worker = worker;
    this.#mailbox = mailbox;
    this.manifest = bundle.manifest;
    this.reference = bundle.reference;
  }

  /** Starts the thread and loads the bundle in it. Rejects with the reason the bundle was refused for. */
  static async open(bundle: string, trust = shippedOnly, expected?: BundleReference): Promise<WorkerDetector> {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const mailbox = new BatchMailbox();
    const worker = new Worker(new URL(`./detection-worker.${extension}`, import.meta.url), {
      workerData: { bundle, trust, expected, mailbox: mailbox.buffers } satisfies DetectionWorkerData,
      resourceLimits: workerHeap,
    });
    const ready = await new Promise<Extract<DetectionReply, { type: 'ready' }>>((resolve, reject) => {
      worker.once('message', (reply: DetectionReply) => {
        if (reply.type === 'ready') resolve(reply);
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`its thread ended at once (code ${code})`)));
    });
    worker.removeAllListeners('error').removeAllListeners('exit');
    const detector = new WorkerDetector(worker, mailbox, ready);
    worker.on('message', (reply: DetectionReply) => detector.#settle(reply));
    worker.on('error', (error) => detector.#fail(stopped((error as Error).message)));
    worker.on('exit', (code) => detector.#fail(stopped(`its thread ended with code ${code}`)));
    return detector;
  }

  detect(batch: WindowBatch): Promise<Detection> {
    const detection = this.#mailboxIsFree.then(() => {
      this.#mailbox.put(batch);
      return this.#call({ type: 'detect', id: this.#nextId++, count: batch.count });
    });
    this.#mailboxIsFree = detection.catch(() => undefined);
    return detection;
  }

  explain(window: ExplainableWindow): Promise<Float32Array> {
    return this.#call({ type: 'explain', id: this.#nextId++, window });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Error('the detector was closed'));
    if (this.#worker.threadId === -1) return;
    // A thread that is terminated in the middle of a native call takes the process with it, so it ends by itself.
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage({ type: 'close' } satisfies DetectionRequest);
    const deadline = setTimeout(() => void this.#worker.terminate(), closeGraceMs);
    await exited;
    clearTimeout(deadline);
  }

  #call(request: Exclude<DetectionRequest, { readonly type: 'close' }>): Promise<Detection & Float32Array> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#pending.set(request.id, { resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  #settle(reply: DetectionReply): void {
    if (reply.type === 'ready') return;
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.type === 'failed') pending?.reject(stopped(reply.reason));
    else
      pending?.resolve((reply.type === 'detected' ? reply.detection : reply.attributions) as Detection & Float32Array);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
